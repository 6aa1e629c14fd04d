import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { amount, epochMs, idempotencyKey, page, pageOf, unit } from "#offchain/core/schema.ts";
import {
  accountName,
  described as describedFields,
  movement,
  transfer,
  transferId,
  transferView,
} from "../schema.ts";
import type { Ledger } from "../service.ts";
import {
  accountFor,
  described,
  keyFor,
  paymentOf,
  positive,
  submitOne,
  transferFor,
  transferToChange,
} from "./access.ts";

export const hold = action({
  name: "ledger.hold",
  summary: "Reserve an amount of the caller's account until it is posted, voided or expires",
  effect: "write",
  resource: "/api/v1/ledger/holds",
  role: "agent",
  input: z.object({ ...movement, expiresAt: epochMs.optional() }),
  output: transfer,
  run: async (ledger: Ledger, caller, input) =>
    transferView(
      await submitOne(ledger, {
        kind: "hold",
        ...(await paymentOf(ledger, caller, input)),
        ...described(input),
        ...(input.expiresAt !== undefined && { expiresAt: input.expiresAt }),
      }),
    ),
});

export const post = action({
  name: "ledger.post",
  summary: "Move what a hold reserved, or a part of it; the rest is released. For the payer",
  effect: "write",
  resource: "/api/v1/ledger/transfers/{transferId}/post",
  role: "agent",
  input: z.object({ transferId, key: idempotencyKey, amount: amount.optional() }),
  output: transfer,
  run: async (ledger: Ledger, caller, input) => {
    const held = await transferToChange(ledger, caller, input.transferId, ["debit"]);
    const part = input.amount === undefined ? undefined : positive(input.amount, held.unit);
    return transferView(
      await submitOne(ledger, {
        kind: "post",
        key: keyFor(caller, input.key),
        transferId: held.id,
        ...(part !== undefined && { amount: part }),
      }),
    );
  },
});

/** `void` is a word of the language. */
export const voidHold = action({
  name: "ledger.void",
  summary: "Release what a hold reserved, and give the budget back. For the payer, or the payee who declines",
  effect: "write",
  resource: "/api/v1/ledger/transfers/{transferId}/void",
  role: "agent",
  input: z.object({ transferId, key: idempotencyKey }),
  output: transfer,
  run: async (ledger: Ledger, caller, input) => {
    const held = await transferToChange(ledger, caller, input.transferId, ["debit", "credit"]);
    return transferView(
      await submitOne(ledger, { kind: "void", key: keyFor(caller, input.key), transferId: held.id }),
    );
  },
});

export const reverse = action({
  name: "ledger.reverse",
  summary:
    "Take a posted transfer back, or a part of it, by one the other way. For the payee; fees stay paid",
  effect: "write",
  resource: "/api/v1/ledger/transfers/{transferId}/reversal",
  role: "agent",
  input: z.object({ transferId, key: idempotencyKey, amount: amount.optional(), ...describedFields }),
  output: transfer,
  run: async (ledger: Ledger, caller, input) => {
    const original = await transferToChange(ledger, caller, input.transferId, ["credit"]);
    const part = input.amount === undefined ? undefined : positive(input.amount, original.unit);
    return transferView(
      await submitOne(ledger, {
        kind: "reverse",
        key: keyFor(caller, input.key),
        transferId: original.id,
        ...(part !== undefined && { amount: part }),
        ...described(input),
      }),
    );
  },
});

export const showTransfer = action({
  name: "ledger.show",
  summary: "A transfer as it stands, for its parties",
  effect: "read",
  resource: "/api/v1/ledger/transfers/{transferId}",
  role: "agent",
  input: z.object({ transferId }),
  output: transfer,
  run: async (ledger: Ledger, caller, input) =>
    transferView(await transferFor(ledger, caller, input.transferId, ["debit", "credit"])),
});

export const listPending = action({
  name: "ledger.pending",
  summary: "Holds that are not resolved, on either side of an account, newest first",
  effect: "read",
  resource: "/api/v1/ledger/holds",
  role: "agent",
  input: z.object({
    account: accountName.optional(),
    unit: unit.optional(),
    ...page,
  }),
  output: pageOf(transfer),
  run: async (ledger: Ledger, caller, input) => {
    const account = accountFor(caller, input.account);
    const { items, next } = await ledger.pending({ ...input, account });
    return { items: items.map(transferView), next };
  },
});

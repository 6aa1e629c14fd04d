import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { systemTreasury } from "../rules/fee.ts";
import type { AccountName } from "../rules/transfer.ts";
import { movement, transfer as schema, transferView } from "../schema.ts";
import type { Ledger } from "../service.ts";
import { described, paymentOf, submitOne } from "./access.ts";

export const transfer = action({
  name: "ledger.transfer",
  summary: "Move an amount from the caller's account to another at once, with its fee",
  effect: "write",
  resource: "/api/v1/token/transfer",
  role: "agent",
  input: z.object(movement),
  output: schema,
  run: async (ledger: Ledger, caller, input) =>
    transferView(
      await submitOne(ledger, {
        kind: "transfer",
        ...(await paymentOf(ledger, caller, input)),
        ...described(input),
      }),
    ),
});

/** The same under a short path of its own. */
export const transferShort = {
  ...transfer,
  name: "transfers.create",
  effect: "write",
  resource: "/transfer",
} as const;

export const transferToSystem = action({
  name: "ledger.transferToSystem",
  summary: "Move an amount from the caller's account to the system treasury",
  effect: "write",
  resource: "/api/v1/token/transfer/to-system",
  role: "agent",
  input: z.object(movement).omit({ to: true }),
  output: schema,
  run: async (ledger: Ledger, caller, input) =>
    transferView(
      await submitOne(ledger, {
        kind: "transfer",
        ...(await paymentOf(ledger, caller, { ...input, to: systemTreasury as AccountName })),
        ...described(input),
      }),
    ),
});

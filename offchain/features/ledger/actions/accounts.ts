import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { BursarError } from "#offchain/core/error.ts";
import { amount, epochMs, idempotencyKey, money, queriedMs, unit } from "#offchain/core/schema.ts";
import { formatAmount } from "#offchain/core/unit.ts";
import type { AccountName } from "../rules/transfer.ts";
import {
  accountName,
  described as describedFields,
  standing,
  standingView,
  transfer,
  transferView,
} from "../schema.ts";
import type { Ledger } from "../service.ts";
import { accountFor, assertNoMirror, described, keyFor, positive, submitOne } from "./access.ts";

export const openAccount = action({
  name: "ledger.open",
  summary: "Open an account in a unit; an account that is open stays as it is",
  effect: "write",
  resource: "/api/v1/ledger/accounts",
  role: "agent",
  input: z.object({ account: accountName.optional(), unit }),
  output: standing,
  run: async (ledger: Ledger, caller, input) => {
    const name = accountFor(caller, input.account);
    await ledger.open([{ name, unit: input.unit }]);
    const [opened] = await ledger.standings(name, input.unit);
    if (!opened) throw new Error(`account ${name} vanished while it was opened`);
    return standingView(opened);
  },
});

const balances = z.object({
  account: z.string(),
  items: z.array(standing),
  /** The balance as it was at `at`, when a time was asked for. */
  past: z.object({ at: epochMs, balance: money }).nullable(),
});

export const balance = action({
  name: "ledger.balance",
  summary:
    "Balance, pending and available of an account in every unit, or in one; with `at`, what it was then",
  effect: "read",
  resource: "/api/v1/token/balance",
  role: "agent",
  input: z.object({
    account: accountName.optional(),
    unit: unit.optional(),
    at: queriedMs.optional(),
  }),
  output: balances,
  run: async (ledger: Ledger, caller, input) => {
    const account = accountFor(caller, input.account);
    const items = await ledger.standings(account, input.unit);
    if (items.length === 0)
      throw new BursarError("ACCOUNT_UNKNOWN", `there is no account ${account}`, { facts: { account } });
    if (input.at === undefined) return { account, items: items.map(standingView), past: null };
    if (input.unit === undefined)
      throw new BursarError("VALIDATION_INVALID_INPUT", "unit: a past balance is that of one unit", {
        fields: [{ field: "unit", message: "must be given with `at`" }],
      });
    const past = formatAmount(await ledger.balanceAt(account, input.unit, input.at), input.unit);
    return {
      account,
      items: items.map(standingView),
      past: { at: input.at, balance: { amount: past, unit: input.unit } },
    };
  },
});

/** The same under a short path of its own. */
export const balanceShort = action({
  name: "balances.show",
  summary: balance.summary,
  effect: "read",
  resource: "/balance/{id}",
  role: "agent",
  input: balance.input.omit({ account: true }).extend({ id: accountName }),
  output: balances,
  run: (ledger: Ledger, caller, { id, ...input }) => balance.run(ledger, caller, { ...input, account: id }),
});

export const suspend = action({
  name: "ledger.suspend",
  summary: "Suspend an account in every unit, or lift it: nothing enters or leaves; holds can only be voided",
  effect: "write",
  resource: "/api/v1/admin/accounts/suspend",
  role: "operator",
  input: z.object({ account: accountName, isSuspended: z.boolean() }),
  output: z.object({ account: z.string(), isSuspended: z.boolean(), accounts: z.number().int() }),
  run: async (ledger: Ledger, _caller, { account, isSuspended }) => ({
    account,
    isSuspended,
    accounts: await ledger.suspend(assertNoMirror(account), isSuspended),
  }),
});

export const issue = action({
  name: "ledger.issue",
  summary: "Issue new tokens to an account: what the issuer is short of is what is in circulation",
  effect: "write",
  resource: "/api/v1/admin/tokens/issue",
  role: "operator",
  input: z.object({ key: idempotencyKey, to: accountName, unit, amount, ...describedFields }),
  output: transfer,
  run: async (ledger: Ledger, caller, input) =>
    transferView(
      await submitOne(ledger, {
        kind: "transfer",
        key: keyFor(caller, input.key),
        debit: `issuer:${input.unit}` satisfies AccountName,
        credit: assertNoMirror(input.to),
        unit: input.unit,
        amount: positive(input.amount, input.unit),
        ...described(input),
      }),
    ),
});

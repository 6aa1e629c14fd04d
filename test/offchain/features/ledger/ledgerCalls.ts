import { expect } from "vitest";
import type {
  AccountName,
  LedgerOperation,
  LedgerOutcome,
} from "#offchain/features/ledger/rules/transfer.ts";
import type { Ledger } from "#offchain/features/ledger/service.ts";

/** What tests do with the ledger of the moment. */
export function callsOf(ledger: () => Ledger) {
  async function submit(...operations: LedgerOperation[]): Promise<LedgerOutcome[]> {
    return ledger().submit(operations);
  }

  async function done(operation: LedgerOperation) {
    const [outcome] = await submit(operation);
    if (!outcome?.ok) throw outcome?.error ?? new Error("no outcome");
    return outcome;
  }

  async function refusal(operation: LedgerOperation) {
    const sums = async () => (await ledger().trialBalance()).sums.map(({ sum }) => sum);
    const before = await sums();
    const accounts = await ledger().accounts(["agent:a", "agent:b"]);
    const [outcome] = await submit(operation);
    if (!outcome || outcome.ok) throw new Error("it was not refused");
    expect(await ledger().accounts(["agent:a", "agent:b"]), "nothing moved").toEqual(accounts);
    expect(await sums()).toEqual(before);
    return outcome.error;
  }

  async function balances(name: AccountName) {
    const account = await ledger().account(name, "USDC");
    return account && { balance: account.balance, pending: account.pending, available: account.available };
  }

  return { submit, done, refusal, balances };
}

export const hold = (key: string, amount: bigint, change: object = {}): LedgerOperation => ({
  kind: "hold",
  key,
  debit: "agent:a",
  credit: "agent:b",
  unit: "USDC",
  amount,
  ...change,
});

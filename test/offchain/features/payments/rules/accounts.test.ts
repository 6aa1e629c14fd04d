import { expect, test } from "vitest";
import { accountKind, externalKinds } from "#offchain/features/ledger/rules/transfer.ts";
import { chainAccount, channelAccount, payeeAccount } from "#offchain/features/payments/rules/accounts.ts";
import { ownerOf } from "#offchain/features/solvency/rules/proof.ts";

const payee = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";

test("a payee has one account in a chain run, however its address is spelt", () => {
  const lower = payee.toLowerCase();
  expect(payeeAccount(3n, payee)).toBe(`payee:3:${lower}`);
  expect(payeeAccount(3n, payee)).toBe(payeeAccount(3n, lower));
  expect(payeeAccount(3n, payee)).toBe(payeeAccount(3n, `0x${payee.slice(2).toUpperCase()}`));
});

test("what was claimed on one run of a chain is not owed on another", () => {
  expect(payeeAccount(3n, payee)).not.toBe(payeeAccount(31n, payee));
  expect(chainAccount(3n)).not.toBe(chainAccount(31n));
});

test("a channel's account is its row's, whole beyond 2⁵³", () => {
  expect(channelAccount({ id: 1n })).toBe("channel:1");
  expect(channelAccount({ id: 2n ** 53n + 1n })).toBe("channel:9007199254740993");
});

test("only the chain may owe: deposits and payees never go below zero", () => {
  expect(externalKinds.has(accountKind(chainAccount(1n)))).toBe(true);
  expect(externalKinds.has(accountKind(channelAccount({ id: 1n })))).toBe(false);
  expect(externalKinds.has(accountKind(payeeAccount(1n, payee)))).toBe(false);
});

test("a payee's account counts for the payee in the proof of solvency", () => {
  expect(ownerOf(payeeAccount(7n, payee))).toBe(payee.toLowerCase());
});

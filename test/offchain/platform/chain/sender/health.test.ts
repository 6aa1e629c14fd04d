import { expect, test } from "vitest";
import { senderHealth } from "#offchain/platform/chain/sender/health.ts";

const minute = 60_000;
const well = {
  operator: "0xabc",
  open: 3,
  queueMax: 10,
  sentSince: null,
  balance: 2n * 10n ** 18n,
  balanceMin: 10n ** 18n,
  now: 100 * minute,
};

test("a sender with coin, whose transactions get into blocks, is well", () => {
  expect(senderHealth(well)).toEqual({ status: "ok", detail: { open: 3, balance: "2", problem: null } });
  expect(senderHealth({ ...well, sentSince: 91 * minute }).status).toBe("ok");
});

test("a transaction that is in no block ten minutes after it was sent is told, with what it may be", () => {
  const { status, detail } = senderHealth({ ...well, sentSince: 90 * minute });
  expect(status).toBe("degraded");
  expect(detail?.problem).toContain("sent 10 minutes ago and is in no block");
});

test("what is short of coin says how much it has, and where to send some", () => {
  const { status, detail } = senderHealth({ ...well, balance: 5n * 10n ** 17n });
  expect(status).toBe("degraded");
  expect(detail?.problem).toContain("0xabc has 0.5");
  const both = senderHealth({ ...well, balance: 0n, sentSince: 0 });
  expect(both.detail?.problem).toMatch(/send it some; a transaction was sent 100 minutes ago/);
});

test("a queue that is longer than it may be is told; a provider that does not say the balance is another check's matter", () => {
  expect(senderHealth({ ...well, open: 11 }).status).toBe("degraded");
  expect(senderHealth({ ...well, balance: null })).toMatchObject({ status: "ok", detail: { balance: null } });
});

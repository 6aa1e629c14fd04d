import { expect, it } from "vitest";
import { assertFresh, readAuthorization, writeAuthorization } from "#offchain/core/request.ts";

const authorization = {
  address: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
  issuedAt: 1_760_000_000_000,
  signature: `0x${"ab".repeat(65)}`,
} as const;

it("reads what it wrote", () => {
  expect(readAuthorization(writeAuthorization(authorization))).toEqual(authorization);
});

it("says how old a stale signature is", () => {
  expect(() => assertFresh(1_000, 61_001)).toThrow("signed 60001 ms ago");
  expect(() => assertFresh(61_001, 1_000)).toThrow("signed 60001 ms ahead");
});

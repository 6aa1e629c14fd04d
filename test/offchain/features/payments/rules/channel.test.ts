import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import { acceptVoucher, available, type Channel } from "#offchain/features/payments/rules/channel.ts";

const channel = (change: Partial<Channel> = {}): Channel => ({
  channelId: `0x${"01".repeat(32)}`,
  payer: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
  payerAuthorizer: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
  isCleared: false,
  receiver: "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
  unit: "USDC",
  balance: 1_000n,
  claimed: 0n,
  accepted: 400n,
  withdrawableAt: null,
  ...change,
});
const voucher = (maxClaimableAmount: bigint, change: object = {}) => ({
  channelId: channel().channelId,
  maxClaimableAmount,
  ...change,
});

describe("a voucher", () => {
  test("adds what it promises beyond the newest accepted one", () => {
    expect(acceptVoucher(channel(), voucher(450n))).toBe(50n);
  });

  test("may promise the whole deposit and no unit more", () => {
    expect(acceptVoucher(channel(), voucher(1_000n))).toBe(600n);
    expect(() => acceptVoucher(channel(), voucher(1_001n))).toThrowError(
      expect.objectContaining({
        code: "VOUCHER_OVER_DEPOSIT",
        facts: expect.objectContaining({ limit: 1_000n }),
      }),
    );
  });

  test("that promises no more than before is stale", () => {
    for (const amount of [0n, 399n, 400n])
      expect(() => acceptVoucher(channel(), voucher(amount))).toThrowError(
        expect.objectContaining({ code: "VOUCHER_STALE" }),
      );
  });

  test("is not taken while the payer withdraws", () => {
    expect(() => acceptVoucher(channel({ withdrawableAt: 5 }), voucher(450n))).toThrowError(
      expect.objectContaining({ code: "CHANNEL_CLOSING" }),
    );
  });

  test("for another payee is refused, whatever the letters' case", () => {
    const payee = channel().receiver.toLowerCase();
    expect(acceptVoucher(channel(), voucher(450n, { payee }))).toBe(50n);
    expect(() => acceptVoucher(channel(), voucher(450n, { payee: channel().payer }))).toThrowError(
      expect.objectContaining({ code: "CHANNEL_MISMATCH" }),
    );
  });

  test("never lets promises exceed the deposit, in any order of any amounts", () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 0n, max: 2_000n })), (amounts) => {
        const state = channel({ accepted: 0n });
        let promised = 0n;
        for (const amount of amounts) {
          try {
            promised += acceptVoucher(state, voucher(amount));
            state.accepted = amount;
          } catch (error) {
            expect(error).toBeInstanceOf(BursarError);
          }
          expect(promised).toBe(state.accepted);
          expect(available(state)).toBeGreaterThanOrEqual(0n);
        }
      }),
    );
  });
});

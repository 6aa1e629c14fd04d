import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Admitted } from "#offchain/features/payments/rules/admission.ts";
import type { AcceptingChannel, FillingBatch } from "#offchain/features/payments/rules/group.ts";
import { reservations } from "#offchain/features/payments/rules/reservation.ts";

const receiver = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";

const channel = (id: bigint): AcceptingChannel => ({
  id,
  channelId: `0x${id.toString(16).padStart(64, "0")}`,
  payer: `0x${"aa".repeat(20)}`,
  payerAuthorizer: `0x${"aa".repeat(20)}`,
  receiver,
  isCleared: false,
  unit: "USDC",
  balance: 10n ** 12n,
  claimed: 0n,
  accepted: 0n,
  withdrawableAt: null,
  voucherSignature: null,
});

const batch = (id: bigint): FillingBatch => ({
  id,
  unit: "USDC",
  payments: 0,
  value: 0n,
  openedAt: 0,
  closedBy: null,
});

const admitted = (
  of: AcceptingChannel,
  into: FillingBatch,
  cumulative: bigint,
  amount: bigint,
): Admitted => ({
  at: 0,
  channel: of,
  batch: into,
  amount,
  credit: null,
  payment: {
    channelId: of.channelId,
    key: `${cumulative}`,
    maxClaimableAmount: cumulative,
    signature: new Uint8Array(64),
    amount: undefined,
    payee: undefined,
    ticketId: undefined,
    reference: undefined,
    submitter: null,
  },
});

const [a, b] = [channel(1n), channel(2n)];
const [first, second] = [batch(10n), batch(11n)];

describe("reservations", () => {
  test("are none where no payment was admitted", () => {
    expect(reservations([], 3n)).toEqual({ holds: [], holdOf: [] });
  });

  test("take from the channel for its payee in this chain run, under the first voucher's own key", () => {
    expect(reservations([admitted(a, first, 100n, 100n)], 3n)).toEqual({
      holdOf: [0],
      holds: [
        {
          kind: "hold",
          key: "voucher:1:100",
          debit: "channel:1",
          credit: `payee:3:${receiver.toLowerCase()}`,
          unit: "USDC",
          amount: 100n,
          reference: "batch:10",
        },
      ],
    });
  });

  test("are one for each channel and batch, however the payments of two channels alternate", () => {
    const { holds, holdOf } = reservations(
      [
        admitted(a, first, 10n, 10n),
        admitted(b, first, 5n, 5n),
        admitted(a, first, 30n, 20n),
        admitted(b, second, 6n, 1n),
        admitted(a, second, 31n, 1n),
      ],
      3n,
    );
    expect(holdOf).toEqual([0, 1, 0, 2, 3]);
    expect(holds).toMatchObject([
      { key: "voucher:1:10", amount: 30n, reference: "batch:10" },
      { key: "voucher:2:5", amount: 5n, reference: "batch:10" },
      { key: "voucher:2:6", amount: 1n, reference: "batch:11" },
      { key: "voucher:1:31", amount: 1n, reference: "batch:11" },
    ]);
  });

  test("reserve in all just what was admitted, for each channel, under keys that never repeat", () => {
    const step = fc.record({
      of: fc.constantFrom(1n, 2n, 3n),
      amount: fc.bigInt(1n, 1_000n),
      next: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const channels = new Map([1n, 2n, 3n].map((id) => [id, channel(id)]));
        let into = batch(1n);
        const all = steps.map(({ of, amount, next }) => {
          if (next) into = batch((into.id ?? 0n) + 1n);
          const one = channels.get(of) as AcceptingChannel;
          one.accepted += amount;
          return admitted(one, into, one.accepted, amount);
        });
        const { holds, holdOf } = reservations(all, 1n);
        for (const id of channels.keys()) {
          const held = holds.flatMap((hold) =>
            hold.kind === "hold" && hold.debit === `channel:${id}` ? hold.amount : [],
          );
          const wanted = all.filter((one) => one.channel.id === id);
          expect(held.reduce((sum, amount) => sum + amount, 0n)).toBe(
            wanted.reduce((sum, { amount }) => sum + amount, 0n),
          );
        }
        expect(new Set(holds.map(({ key }) => key)).size).toBe(holds.length);
        for (const [at, { channel: of, batch: taken }] of all.entries())
          expect(holds[holdOf[at] ?? -1]).toMatchObject({
            debit: `channel:${of.id}`,
            reference: `batch:${taken.id}`,
          });
      }),
    );
  });
});

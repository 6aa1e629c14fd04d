import { describe, expect, test } from "vitest";
import { admitGroup, type Circumstances } from "#offchain/features/payments/rules/admission.ts";
import type { BatchPolicy } from "#offchain/features/payments/rules/batch.ts";
import type {
  AcceptingChannel,
  EarlierPayment,
  VerifiedPayment,
} from "#offchain/features/payments/rules/group.ts";
import { reservations } from "#offchain/features/payments/rules/reservation.ts";

const someone = (byte: string) => `0x${byte.repeat(20)}` as const;
const [payer, payee, other] = [someone("aa"), someone("bb"), someone("cc")];
const channelId = `0x${"11".repeat(32)}` as const;
const policy: BatchPolicy = {
  mode: "immediate",
  batchSize: 2,
  maxDelayMs: 60_000,
  minAmount: 1_000_000n,
  urgentAmount: 1_000_000n,
};

const channel = (change: Partial<AcceptingChannel> = {}): AcceptingChannel => ({
  id: 1n,
  channelId,
  payer,
  payerAuthorizer: payer,
  receiver: payee,
  isCleared: false,
  unit: "USDC",
  balance: 1_000n,
  claimed: 0n,
  accepted: 0n,
  withdrawableAt: null,
  voucherSignature: null,
  ...change,
});

const payment = (cumulative: bigint, change: Partial<VerifiedPayment> = {}): VerifiedPayment => ({
  channelId,
  key: `key ${cumulative}`,
  maxClaimableAmount: cumulative,
  signature: Uint8Array.of(Number(cumulative % 256n)),
  amount: undefined,
  payee: undefined,
  ticketId: undefined,
  reference: undefined,
  submitter: null,
  ...change,
});

const circumstances = (
  change: Partial<Circumstances<EarlierPayment>> = {},
  of = channel(),
): Circumstances<EarlierPayment> => ({
  channels: new Map([[channelId, of]]),
  sold: new Set(),
  tickets: new Map(),
  agents: new Map(),
  office: 3,
  earlier: [],
  openBatches: [],
  policies: () => policy,
  now: 5,
  ...change,
});

const refusals = (payments: VerifiedPayment[], around: Circumstances<EarlierPayment>) =>
  admitGroup(payments, around).refusals.map(({ at, error }) => [at, error.code]);

describe("a group of payments", () => {
  test("is decided one after the other: each is judged by what the one before left", () => {
    const of = channel();
    const decided = admitGroup([payment(100n), payment(250n), payment(200n)], circumstances({}, of));
    expect(decided.admitted.map(({ at, amount }) => [at, amount])).toEqual([
      [0, 100n],
      [1, 150n],
    ]);
    expect(decided.refusals.map(({ at, error }) => [at, error.code])).toEqual([[2, "VOUCHER_STALE"]]);
    expect(of).toMatchObject({ accepted: 250n, voucherSignature: Uint8Array.of(250) });
  });

  test("fills the open batch and then new ones, of which only the last stays open", () => {
    const open = { id: 7n, unit: "USDC" as const, payments: 1, value: 5n, openedAt: 1, closedBy: null };
    const payments = [payment(10n), payment(20n), payment(30n), payment(40n)];
    const { batches, admitted } = admitGroup(payments, circumstances({ openBatches: [open] }));
    expect(batches).toEqual([
      { id: 7n, unit: "USDC", payments: 2, value: 15n, openedAt: 1, closedBy: "size" },
      { id: null, unit: "USDC", payments: 2, value: 20n, openedAt: 5, closedBy: "size" },
      { id: null, unit: "USDC", payments: 1, value: 10n, openedAt: 5, closedBy: null },
    ]);
    expect(admitted.map(({ batch }) => batches.indexOf(batch))).toEqual([0, 1, 1, 2]);
  });

  test("fills a batch of each unit, by that unit's own limits", () => {
    const avtId = `0x${"22".repeat(32)}` as const;
    const channels = new Map([
      [channelId, channel()],
      [avtId, channel({ id: 2n, channelId: avtId, unit: "AVT" })],
    ]);
    const open = { id: 7n, unit: "AVT" as const, payments: 1, value: 5n, openedAt: 1, closedBy: null };
    const policies = (unit: string) => (unit === "AVT" ? { ...policy, minAmount: 10n } : policy);
    const payments = [
      payment(10n),
      payment(4n, { channelId: avtId }),
      payment(9n, { channelId: avtId }),
      payment(20n),
      payment(21n),
    ];
    const { batches, admitted } = admitGroup(
      payments,
      circumstances({ channels, openBatches: [open], policies }),
    );
    expect(batches).toEqual([
      { id: null, unit: "USDC", payments: 2, value: 20n, openedAt: 5, closedBy: "size" },
      { id: 7n, unit: "AVT", payments: 2, value: 9n, openedAt: 1, closedBy: "size" },
      { id: null, unit: "AVT", payments: 1, value: 5n, openedAt: 5, closedBy: null },
      { id: null, unit: "USDC", payments: 1, value: 1n, openedAt: 5, closedBy: null },
    ]);
    expect(admitted.map(({ batch, channel: { unit } }) => [unit, batch.unit])).toEqual([
      ["USDC", "USDC"],
      ["AVT", "AVT"],
      ["AVT", "AVT"],
      ["USDC", "USDC"],
      ["USDC", "USDC"],
    ]);
  });

  test("touches no batch when everything is refused", () => {
    const { batches } = admitGroup([payment(2_000n)], circumstances());
    expect(batches).toEqual([]);
  });

  test("is reserved by one hold for each channel and batch", () => {
    const { admitted, batches } = admitGroup([payment(10n), payment(20n), payment(30n)], circumstances());
    for (const [at, batch] of batches.entries()) batch.id = BigInt(at + 1);
    const { holds, holdOf } = reservations(admitted, 3n);
    expect(holds).toEqual([
      {
        kind: "hold",
        key: "voucher:1:10",
        debit: "channel:1",
        credit: `payee:3:${payee}`,
        unit: "USDC",
        amount: 20n,
        reference: "batch:1",
      },
      expect.objectContaining({ key: "voucher:1:30", amount: 10n, reference: "batch:2" }),
    ]);
    expect(holdOf).toEqual([0, 0, 1]);
  });
});

describe("a key that was used", () => {
  const earlier: EarlierPayment = {
    id: 9n,
    channelId,
    key: "key 100",
    unit: "USDC",
    cumulative: 100n,
    amount: 100n,
    signature: Uint8Array.of(100),
    ticketId: null,
    reference: null,
    payee: null,
    receiver: payee,
  };
  const around = () => circumstances({ earlier: [earlier] }, channel({ accepted: 100n }));

  test("stands for the first payment when the request is the same, whatever it leaves out", () => {
    for (const change of [{}, { amount: 100n }, { payee: payee.toUpperCase().replace("0X", "0x") }])
      expect(admitGroup([payment(100n, change)], around()).replays).toEqual([{ at: 0, row: earlier }]);
  });

  test("is a conflict with any other request", () => {
    for (const change of [
      { maxClaimableAmount: 101n },
      { signature: Uint8Array.of(1) },
      { amount: 99n },
      { payee: other },
      { ticketId: "t" },
      { reference: "r" },
    ])
      expect(refusals([payment(100n, change)], around())).toEqual([[0, "IDEMPOTENCY_CONFLICT"]]);
  });

  test("within the group waits for the first one", () => {
    const decided = admitGroup([payment(100n), payment(100n)], circumstances());
    expect(decided.admitted.map(({ at }) => at)).toEqual([0]);
    expect(decided.repeats).toEqual([1]);
  });

  test("does not let its voucher be used under another key", () => {
    expect(refusals([payment(100n, { key: "another" })], around())).toEqual([[0, "VOUCHER_REPLAYED"]]);
  });
});

describe("a payment is refused", () => {
  test("by a channel that is unknown or sold", () => {
    expect(refusals([payment(1n)], circumstances({ channels: new Map() }))).toEqual([[0, "CHANNEL_UNKNOWN"]]);
    expect(refusals([payment(1n)], circumstances({ sold: new Set([channelId]) }))).toEqual([
      [0, "CHANNEL_MISMATCH"],
    ]);
  });

  test("for a ticket that is unknown, paid already, or another's work", () => {
    const ticketId = "t";
    const tickets = (ticket: object) => new Map([[ticketId, { worker: payee, paidBy: null, ...ticket }]]);
    const paying = payment(1n, { ticketId });
    expect(refusals([paying], circumstances())).toEqual([[0, "TICKET_UNKNOWN"]]);
    expect(refusals([paying], circumstances({ tickets: tickets({ paidBy: 3n }) }))).toEqual([
      [0, "TICKET_CLOSED"],
    ]);
    expect(refusals([paying], circumstances({ tickets: tickets({ worker: other }) }))).toEqual([
      [0, "CHANNEL_MISMATCH"],
    ]);
    expect(refusals([paying, payment(2n, { ticketId })], circumstances({ tickets: tickets({}) }))).toEqual([
      [1, "TICKET_CLOSED"],
    ]);
  });
});

describe("a payment by a cleared channel", () => {
  const cleared = () => channel({ isCleared: true });
  const agents = new Map([[payee, false] as const, [other, true] as const]);
  const from = (submitter: string | null, to: string | undefined) => payment(1n, { submitter, payee: to });

  test("credits the agent whom its payer names", () => {
    const { admitted } = admitGroup([from(payer, payee)], circumstances({ agents }, cleared()));
    expect(admitted[0]?.credit).toEqual({ payee, cumulative: 0n, epoch: 0, office: 3 });
  });

  test.each([
    ["SIGNATURE_MISSING", null, payee],
    ["FORBIDDEN", other, payee],
    ["VALIDATION_INVALID_INPUT", payer, undefined],
    ["VALIDATION_INVALID_INPUT", payer, payer],
    ["AGENT_UNKNOWN", payer, someone("dd")],
    ["AGENT_SUSPENDED", payer, other],
  ])("%s from %s to %s", (code, submitter, to) => {
    expect(refusals([from(submitter, to)], circumstances({ agents }, cleared()))).toEqual([[0, code]]);
  });

  test("is refused while another operator is in office; one by a direct channel is not", () => {
    const around = (of: ReturnType<typeof channel>) => circumstances({ agents, office: null }, of);
    expect(refusals([from(payer, payee)], around(cleared()))).toEqual([[0, "CLEARING_UNBONDED"]]);
    expect(refusals([payment(1n)], around(channel()))).toEqual([]);
  });
});

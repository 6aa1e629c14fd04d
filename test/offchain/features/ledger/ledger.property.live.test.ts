import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expireHolds } from "#offchain/features/ledger/jobs.ts";
import { openLedger } from "#offchain/features/ledger/ledger.ts";
import { type BudgetPeriod, budgetPeriods } from "#offchain/features/ledger/rules/budget.ts";
import type { AccountName, LedgerOperation } from "#offchain/features/ledger/rules/transfer.ts";
import type { Ledger } from "#offchain/features/ledger/service.ts";
import { verifyJournal } from "#offchain/features/ledger/store/verify.ts";
import { chance } from "../../support/chance.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../support/database.ts";
import { Model } from "./ledger.model.ts";

const unit = "VMC";
const hourMs = 3_600_000;
const start = Date.UTC(2026, 0, 31, 22, 30);
const clock = { at: start, now: () => clock.at };

let server: TestServer;
let database: TestDatabase;
let instances: [Ledger, Ledger];
beforeAll(async () => {
  server = await startTestServer();
  database = await server.create();
  instances = [openLedger(database.sql, clock), openLedger(database.sql, clock)];
});
afterAll(async () => {
  await database?.close();
  await server?.stop();
});

const agent = fc.nat(2);
const instance = fc.nat(1);
const amount = fc.bigInt({ min: 1n, max: 600n });
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom("hold" as const, "transfer" as const),
      instance,
      from: agent,
      to: agent,
      amount,
      fee: fc.constantFrom(0n, 0n, 3n),
      livesMs: fc.option(fc.integer({ min: 1, max: 3 * hourMs })),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom("post" as const, "void" as const, "reverse" as const),
      instance,
      pick: fc.nat(30),
      part: fc.option(fc.integer({ min: 1, max: 120 })),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("again" as const),
      instance,
      pick: fc.nat(30),
      isOther: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("suspend" as const), instance, who: agent, isOn: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("limit" as const),
      instance,
      who: agent,
      period: fc.constantFrom(...budgetPeriods),
      limit: fc.option(fc.bigInt({ min: 0n, max: 1_500n })),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      byMs: fc.integer({ min: 1, max: 30 * hourMs }),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

let round = 0;

/** Plays the steps on both and compares after each: outcome, balances, holds, budgets. */
async function play(steps: readonly Step[]): Promise<void> {
  round += 1;
  clock.at = start;
  const model = new Model();
  const name = (at: number): AccountName => `agent:r${round}-${at}`;
  const treasury: AccountName = `treasury:r${round}`;
  const submitted: { operation: LedgerOperation; answer: string }[] = [];
  const run = async (on: number, operation: LedgerOperation) => {
    const [outcome] = await (instances[on] ?? instances[0]).submit([operation]);
    if (outcome?.ok) submitted.push({ operation, answer: JSON.stringify(outcome.transfer, writeBigint) });
    return outcome?.ok
      ? { id: outcome.transfer.id, code: null }
      : { id: "", code: outcome?.error.code ?? null };
  };
  await run(0, {
    kind: "transfer",
    key: `fund${round}`,
    debit: "issuer:test",
    credit: name(0),
    unit,
    amount: 2_000n,
  });
  await instances[0].open([1, 2].map((at) => ({ name: name(at), unit }) as const));
  submitted.length = 0;
  for (const at of [0, 1, 2]) model.of(name(at));
  model.of(name(0)).balance = 2_000n;
  const ids: string[] = [];

  for (const [at, one] of steps.entries()) {
    const key = `${round}:${at}`;
    switch (one.do) {
      case "wait":
        clock.at += one.byMs;
        break;
      case "suspend":
        await instances[one.instance]?.suspend(name(one.who), one.isOn);
        model.of(name(one.who)).isSuspended = one.isOn;
        break;
      case "limit": {
        await instances[one.instance]?.setLimits(name(one.who), unit, { [one.period]: one.limit });
        const limits = model.of(name(one.who)).limits;
        if (one.limit === null) delete limits[one.period];
        else limits[one.period] = one.limit;
        break;
      }
      case "again": {
        const earlier = submitted[one.pick];
        if (!earlier) break;
        const changed = {
          ...earlier.operation,
          ...("memo" in earlier.operation ? {} : { memo: "x", amount: 599n }),
        };
        const operation = one.isOther ? (changed as LedgerOperation) : earlier.operation;
        const [outcome] = (await instances[one.instance]?.submit([operation])) ?? [];
        if (operation === earlier.operation || outcome?.ok)
          expect(outcome?.ok && JSON.stringify(outcome.transfer, writeBigint)).toBe(earlier.answer);
        else expect(outcome?.ok === false && outcome.error.code).toBe("IDEMPOTENCY_CONFLICT");
        break;
      }
      case "hold":
      case "transfer": {
        const [from, to] = [name(one.from), name(one.to)];
        const expiresAt = one.do === "hold" && one.livesMs !== null ? clock.at + one.livesMs : null;
        const expected = model.refusal(from, to, one.amount, one.fee, clock.at);
        const { id, code } = await run(one.instance, {
          kind: one.do,
          key,
          debit: from,
          credit: to,
          unit,
          amount: one.amount,
          mustExist: one.fee === 0n,
          ...(one.fee > 0n && { fee: { credit: treasury, amount: one.fee } }),
          ...(expiresAt !== null && { expiresAt }),
        } as LedgerOperation);
        expect(code, `${one.do} ${at}`).toBe(expected);
        if (expected !== null) break;
        model.start({
          id,
          from,
          to,
          amount: one.amount,
          fee: one.fee,
          at: clock.at,
          expiresAt,
          isReversal: false,
        });
        ids.push(id);
        const made = model.holds.get(id);
        if (one.do === "transfer" && made) model.resolve(made, one.amount);
        break;
      }
      default: {
        const held = model.holds.get(ids[one.pick] ?? "");
        if (!held) break;
        await resolveBoth(model, held, one, key, run, ids);
      }
    }
    await compare(model, name, treasury);
  }
  // Time runs out for what is left: the job gives it back.
  clock.at += 4 * hourMs;
  await expireHolds({ sql: database.sql, clock, ledger: instances[0] });
  for (const hold of model.holds.values())
    if (hold.state === "pending" && hold.expiresAt !== null && clock.at > hold.expiresAt)
      model.resolve(hold, null);
  await compare(model, name, treasury);
}

async function resolveBoth(
  model: Model,
  held: NonNullable<ReturnType<Model["holds"]["get"]>>,
  one: { do: "post" | "void" | "reverse"; instance: number; part: number | null },
  key: string,
  run: (on: number, operation: LedgerOperation) => Promise<{ id: string; code: string | null }>,
  ids: string[],
): Promise<void> {
  const part = one.part === null ? null : (held.amount * BigInt(one.part) + 99n) / 100n;
  const named = part === null || one.do === "void" ? {} : { amount: part };
  const operation = { kind: one.do, key, transferId: held.id, ...named } as LedgerOperation;
  if (one.do !== "reverse") {
    const asked = one.do === "void" ? null : (part ?? held.amount);
    const expected = model.resolutionRefusal(held, asked, clock.at);
    expect((await run(one.instance, operation)).code, `${one.do} ${key}`).toBe(expected);
    if (expected === null) model.resolve(held, asked);
    return;
  }
  const left = held.posted - held.reversed;
  const asked = part ?? left;
  const debit = model.of(held.to);
  const expected =
    held.state !== "posted"
      ? "TRANSFER_NOT_POSTED"
      : asked > left || left === 0n
        ? "TRANSFER_EXCEEDS_POSTED"
        : debit.isSuspended || model.of(held.from).isSuspended
          ? "ACCOUNT_SUSPENDED"
          : debit.balance - debit.pending < asked
            ? "INSUFFICIENT_FUNDS"
            : null;
  const { id, code } = await run(one.instance, operation);
  expect(code, `reverse ${key}`).toBe(expected);
  if (expected !== null) return;
  held.reversed += asked;
  model.start({
    id,
    from: held.to,
    to: held.from,
    amount: asked,
    fee: 0n,
    at: clock.at,
    expiresAt: null,
    isReversal: true,
  });
  const made = model.holds.get(id);
  if (made) model.resolve(made, asked);
  ids.push(id);
}

async function compare(
  model: Model,
  name: (at: number) => AccountName,
  treasury: AccountName,
): Promise<void> {
  for (const at of [0, 1, 2]) {
    const [real] = await instances[at % 2 === 0 ? 0 : 1].standings(name(at), unit);
    const { balance, pending, incoming, isSuspended, limits } = model.of(name(at));
    expect({
      balance: real?.balance,
      pending: real?.pending,
      incoming: real?.incoming,
      isSuspended: real?.suspended,
    }).toEqual({
      balance,
      pending,
      incoming,
      isSuspended,
    });
    expect(Object.fromEntries((real?.limits ?? []).map(({ period, limit }) => [period, limit]))).toEqual(
      limits,
    );
    for (const { period, spent } of real?.limits ?? [])
      if (period !== "transaction")
        expect(spent, period).toBe(
          model.spent(name(at), period as Exclude<BudgetPeriod, "transaction">, clock.at),
        );
  }
  const [fees] = await instances[0].standings(treasury, unit);
  expect(fees?.balance ?? 0n).toBe(model.of("treasury").balance);
}

const writeBigint = (_: string, value: unknown) => (typeof value === "bigint" ? value.toString() : value);

/** Counter-examples that were found once, shrunk. */
const found: Step[][] = [
  // A refund is no spending of the one who refunds.
  [
    { do: "transfer", instance: 0, from: 0, to: 1, amount: 600n, fee: 0n, livesMs: null },
    { do: "limit", instance: 1, who: 1, period: "daily", limit: 0n },
    { do: "reverse", instance: 1, pick: 0, part: null },
  ],
  // What was held before midnight and voided after it gives nothing back to the new day.
  [
    { do: "hold", instance: 0, from: 0, to: 1, amount: 500n, fee: 0n, livesMs: null },
    { do: "limit", instance: 0, who: 0, period: "daily", limit: 500n },
    { do: "wait", byMs: 2 * hourMs },
    { do: "hold", instance: 1, from: 0, to: 2, amount: 500n, fee: 0n, livesMs: null },
    { do: "void", instance: 1, pick: 0, part: null },
    { do: "hold", instance: 0, from: 0, to: 2, amount: 1n, fee: 0n, livesMs: null },
  ],
  // A void gives the budget back.
  [
    { do: "hold", instance: 0, from: 0, to: 1, amount: 500n, fee: 0n, livesMs: null },
    { do: "limit", instance: 0, who: 0, period: "weekly", limit: 500n },
    { do: "void", instance: 1, pick: 0, part: null },
    { do: "hold", instance: 0, from: 0, to: 1, amount: 500n, fee: 0n, livesMs: null },
  ],
];

test.each(found.map((steps, at) => [at, steps] as const))(
  "regression %i agrees with the model",
  async (_, steps) => {
    await play(steps);
  },
);

test("any interleaving of every operation by several agents on two instances agrees with the model", async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), play), { numRuns: 60 });
  expect(await instances[0].trialBalance()).toMatchObject({ balanced: true, mismatches: [] });
  expect((await verifyJournal(database.sql)).broken).toBeNull();
}, 180_000);

test("operations of all agents at once on two instances leave what the accepted ones amount to, and nothing overdrawn", async () => {
  round += 1;
  clock.at = start;
  const name = (at: number): AccountName => `agent:c${round}-${at}`;
  const model = new Model();
  const submit = (on: number, operation: LedgerOperation) =>
    (instances[on % 2] ?? instances[0]).submit([operation]);
  await submit(0, {
    kind: "transfer",
    key: `c${round}`,
    debit: "issuer:test",
    credit: name(0),
    unit,
    amount: 3_000n,
  });
  model.of(name(0)).balance = 3_000n;
  const random = chance();
  const any = (most: number) => random.below(most);
  for (let wave = 0; wave < 12; wave += 1) {
    const open = [...model.holds.values()].filter(({ state }) => state === "pending");
    const operations = Array.from({ length: 60 }, (_, at): LedgerOperation => {
      const key = `c${round}:${wave}:${at % 50}`;
      const held = open[any(open.length)];
      if (held && at % 3 === 0) return { kind: at % 2 ? "post" : "void", key, transferId: held.id };
      const from = any(3);
      const movement = {
        debit: name(from),
        credit: name((from + 1 + any(2)) % 3),
        unit,
        amount: BigInt(1 + any(400)),
      } as const;
      return { kind: at % 2 ? "hold" : "transfer", key, ...movement };
    });
    const outcomes = (await Promise.all(operations.map((operation, at) => submit(at, operation)))).flat();
    for (const [at, outcome] of outcomes.entries()) {
      const operation = operations[at];
      if (!operation || !outcome?.ok || outcome.replayed) continue;
      const { id, debit, credit, amount } = outcome.transfer;
      if (operation.kind === "hold" || operation.kind === "transfer") {
        const made = {
          id,
          from: debit,
          to: credit,
          amount,
          fee: 0n,
          at: clock.at,
          expiresAt: null,
          isReversal: false,
        };
        model.start(made);
      }
      const held = model.holds.get(id);
      if (held && operation.kind !== "hold") model.resolve(held, operation.kind === "void" ? null : amount);
    }
    await compare(model, name, `treasury:c${round}`);
    for (const at of [0, 1, 2])
      expect(model.of(name(at)).balance - model.of(name(at)).pending).toBeGreaterThanOrEqual(0n);
  }
  expect((await instances[1].trialBalance()).balanced).toBe(true);
  expect((await verifyJournal(database.sql)).broken).toBeNull();
});

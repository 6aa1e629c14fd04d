import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openLedger } from "#offchain/features/ledger/ledger.ts";
import type { AccountName, LedgerOperation } from "#offchain/features/ledger/rules/transfer.ts";
import type { Ledger } from "#offchain/features/ledger/service.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../support/database.ts";
import { callsOf, hold } from "./ledgerCalls.ts";

let server: TestServer;
let database: TestDatabase;
let ledger: Ledger;
const clock = { at: 1_000, now: () => clock.at };

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  clock.at = 1_000;
  database = await server.create();
  ledger = openLedger(database.sql, clock);
  await done({
    kind: "transfer",
    key: "fund",
    debit: "chain:1",
    credit: "agent:a",
    unit: "USDC",
    amount: 1_000n,
  });
});
afterEach(() => database.close());

const { submit, done, refusal, balances } = callsOf(() => ledger);

describe("a two-phase transfer", () => {
  test("reserves while pending, moves when posted", async () => {
    const { transfer } = await done(hold("h", 300n));
    expect(transfer).toMatchObject({ state: "pending", amount: 300n, createdAt: 1_000, resolvedAt: null });
    expect(await balances("agent:a")).toEqual({ balance: 1_000n, pending: 300n, available: 700n });
    const posted = await done({ kind: "post", key: "p", transferId: transfer.id });
    expect(posted.transfer).toMatchObject({ state: "posted", postedAmount: 300n, resolvedAt: 1_000 });
    expect(await balances("agent:a")).toEqual({ balance: 700n, pending: 0n, available: 700n });
    expect(await balances("agent:b")).toEqual({ balance: 300n, pending: 0n, available: 300n });
  });

  test("posted in part releases the rest", async () => {
    const { transfer } = await done(hold("h", 300n));
    await done({ kind: "post", key: "p", transferId: transfer.id, amount: 120n });
    expect(await balances("agent:a")).toEqual({ balance: 880n, pending: 0n, available: 880n });
  });

  test("voided gives everything back", async () => {
    const { transfer } = await done(hold("h", 300n));
    await done({ kind: "void", key: "v", transferId: transfer.id });
    expect(await balances("agent:a")).toEqual({ balance: 1_000n, pending: 0n, available: 1_000n });
  });

  test("is resolved at most once", async () => {
    const { transfer } = await done(hold("h", 300n));
    await done({ kind: "post", key: "p", transferId: transfer.id });
    for (const operation of [
      { kind: "post", key: "p2", transferId: transfer.id },
      { kind: "void", key: "v2", transferId: transfer.id },
    ] as const)
      expect(await refusal(operation)).toMatchObject({
        code: "TRANSFER_NOT_PENDING",
        facts: { state: "posted" },
      });
  });

  test("is not posted after it expired, nor for more than it reserved", async () => {
    const { transfer } = await done(hold("h", 300n, { expiresAt: 2_000 }));
    expect(await refusal({ kind: "post", key: "more", transferId: transfer.id, amount: 301n })).toMatchObject(
      {
        code: "TRANSFER_EXCEEDS_PENDING",
        facts: { got: 301n, limit: 300n },
      },
    );
    clock.at = 2_001;
    expect(await refusal({ kind: "post", key: "late", transferId: transfer.id })).toMatchObject({
      code: "TRANSFER_EXPIRED",
    });
    await done({ kind: "void", key: "v", transferId: transfer.id });
  });
});

describe("an idempotency key", () => {
  test("with the same request returns the same transfer and moves nothing again", async () => {
    const first = await done(hold("h", 300n));
    const again = await done(hold("h", 300n));
    expect(again).toEqual({ ...first, replayed: true });
    expect(await balances("agent:a")).toMatchObject({ pending: 300n });
  });

  test("twice in one group counts once", async () => {
    const outcomes = await submit(hold("h", 300n), hold("h", 300n));
    expect(outcomes.map((outcome) => outcome.ok && outcome.replayed)).toEqual([false, true]);
    expect(await balances("agent:a")).toMatchObject({ pending: 300n });
  });

  test("with another request is a conflict", async () => {
    await done(hold("h", 300n));
    expect(await refusal(hold("h", 301n))).toMatchObject({
      code: "IDEMPOTENCY_CONFLICT",
      facts: { key: "h" },
    });
  });
});

describe("linked operations", () => {
  test("fail together", async () => {
    const outcomes = await submit(
      hold("one", 300n, { link: "l" }),
      hold("two", 900n, { link: "l" }),
      hold("beside", 100n),
    );
    expect(outcomes.map((outcome) => (outcome.ok ? "ok" : outcome.error.code))).toEqual([
      "TRANSFER_LINK_FAILED",
      "INSUFFICIENT_FUNDS",
      "ok",
    ]);
    expect(await balances("agent:a")).toMatchObject({ pending: 100n });
  });

  test("succeed together", async () => {
    const outcomes = await submit(hold("one", 300n, { link: "l" }), hold("two", 700n, { link: "l" }));
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
  });
});

describe("a transfer with a fee", () => {
  const charged = (key: string, amount: bigint) =>
    hold(key, amount, { fee: { credit: "treasury:system", amount: 5n } });

  test("reserves both, and both move when it is posted", async () => {
    const { transfer } = await done(charged("h", 300n));
    expect(transfer.fee).toBe(5n);
    expect(await balances("agent:a")).toMatchObject({ pending: 305n });
    await done({ kind: "post", key: "p", transferId: transfer.id, amount: 100n });
    expect(await balances("agent:a")).toEqual({ balance: 895n, pending: 0n, available: 895n });
    expect(await balances("treasury:system")).toMatchObject({ balance: 5n });
  });

  test("voided costs nothing", async () => {
    const { transfer } = await done(charged("h", 300n));
    await done({ kind: "void", key: "v", transferId: transfer.id });
    expect(await balances("agent:a")).toEqual({ balance: 1_000n, pending: 0n, available: 1_000n });
  });

  test("is refused when the fee is not covered, and its fee is not resolved by itself", async () => {
    expect(await refusal(charged("x", 996n))).toMatchObject({
      code: "INSUFFICIENT_FUNDS",
      facts: { got: 1_001n },
    });
    const { transfer } = await done(charged("h", 300n));
    expect(
      await refusal({ kind: "void", key: "v", transferId: String(Number(transfer.id) + 1) }),
    ).toMatchObject({
      code: "FORBIDDEN",
    });
  });

  test("survives a restart between hold and post", async () => {
    const { transfer } = await done(charged("h", 300n));
    const [posted] = await openLedger(database.sql, clock).submit([
      { kind: "post", key: "p", transferId: transfer.id },
    ]);
    expect(posted?.ok).toBe(true);
    expect(await balances("agent:a")).toEqual({ balance: 695n, pending: 0n, available: 695n });
  });
});

test("a balance beyond 38 digits is refused by name, also what pending credits would make of it", async () => {
  const most = 10n ** 38n - 1n;
  const issue = (key: string, amount: bigint, debit: AccountName): LedgerOperation => ({
    kind: "hold",
    key,
    debit,
    credit: "agent:c",
    unit: "SCRIP",
    amount,
  });
  const { transfer } = await done(issue("most", most, "issuer:x"));
  const before = await ledger.account("agent:c", "SCRIP");
  const [outcome] = await submit(issue("one", 1n, "issuer:y"));
  expect(outcome?.ok === false && outcome.error).toMatchObject({
    code: "BALANCE_OVERFLOW",
    facts: { got: most + 1n, limit: most },
  });
  expect(await ledger.account("agent:c", "SCRIP")).toEqual(before);
  await done({ kind: "post", key: "p", transferId: transfer.id });
  expect((await ledger.account("agent:c", "SCRIP"))?.balance).toBe(most);
});

test("a key that was used before this process began is still known", async () => {
  const first = await done(hold("old", 300n));
  const fresh = openLedger(database.sql, clock);
  // A group decided from memory, with the old key among new ones: the database says no, and all is decided again.
  await fresh.submit([hold("warm", 1n)]);
  for (let group = 0; group < 3; group += 1) await fresh.submit([hold(`new${group}`, 1n)]);
  const outcomes = await Promise.all(
    [hold("other", 1n), hold("old", 300n), hold("old", 301n)].map((each) => fresh.submit([each])),
  );
  expect(outcomes.flat()).toMatchObject([
    { ok: true, replayed: false },
    { ok: true, replayed: true, transfer: first.transfer },
    { ok: false, error: { code: "IDEMPOTENCY_CONFLICT" } },
  ]);
});

test("a suspension and a limit set through another instance count at once", async () => {
  const other = openLedger(database.sql, clock);
  await done(hold("before", 1n));
  await other.setLimits("agent:a", "USDC", { daily: 50n });
  expect(await refusal(hold("over", 60n))).toMatchObject({
    code: "BUDGET_EXCEEDED",
    facts: { period: "daily", limit: 50n, left: 49n },
  });
  await other.suspend("agent:b", true);
  expect(await refusal(hold("suspended", 1n))).toMatchObject({ code: "ACCOUNT_SUSPENDED" });
});

describe("refused by name, and nothing moves", () => {
  const cases: [string, LedgerOperation][] = [
    ["INSUFFICIENT_FUNDS", hold("x", 1_001n)],
    ["AMOUNT_INVALID", hold("x", 0n)],
    ["AMOUNT_INVALID", hold("x", -5n)],
    ["AMOUNT_INVALID", hold("x", 10n ** 38n)],
    ["TRANSFER_SELF", hold("x", 1n, { credit: "agent:a" })],
    ["TRANSFER_UNKNOWN", { kind: "post", key: "x", transferId: "999999" }],
    ["TRANSFER_UNKNOWN", { kind: "void", key: "x", transferId: "'; DROP TABLE entry; --" }],
  ];
  test.each(cases)("%s", async (code, operation) => {
    expect(await refusal(operation)).toMatchObject({ code });
  });
});

describe("the database itself", () => {
  test("refuses to change or remove a journal entry or a transfer", async () => {
    const { sql } = database;
    await expect(sql`UPDATE journal SET amount = amount + 1`).rejects.toThrow("append-only");
    await expect(sql`DELETE FROM journal`).rejects.toThrow("append-only");
    await expect(sql`TRUNCATE journal`).rejects.toThrow("append-only");
    await expect(sql`UPDATE transfer SET memo = 'another'`).rejects.toThrow("append-only");
  });

  test("refuses accounts that would not sum to zero", async () => {
    const { sql } = database;
    await expect(sql`UPDATE account SET balance = balance + 1 WHERE name = 'agent:a'`).rejects.toThrow(
      "would not sum to zero",
    );
    await expect(
      sql`INSERT INTO account (id, name, unit, external, balance) VALUES (99, 'agent:z', 'USDC', false, 5)`,
    ).rejects.toThrow("would not sum to zero");
    await expect(sql`DELETE FROM account WHERE name = 'agent:a'`).rejects.toThrow("would not sum to zero");
  });

  test("refuses a transfer to be resolved twice", async () => {
    await expect(database.sql`INSERT INTO journal SELECT * FROM journal LIMIT 1`).rejects.toThrow(
      "journal_pkey",
    );
  });

  test("refuses an overdraft", async () => {
    await expect(database.sql`UPDATE account SET balance = -1 WHERE name = 'agent:a'`).rejects.toThrow(
      "account_covered",
    );
  });
});

test("any interleaving of operations by several callers agrees with a simple model, and the books stay whole", async () => {
  const names = ["agent:a", "agent:b", "agent:c"] as const;
  const step = fc.oneof(
    fc.record({
      kind: fc.constantFrom("hold" as const, "transfer" as const),
      from: fc.nat(2),
      to: fc.nat(2),
      amount: fc.bigInt({ min: 1n, max: 600n }),
    }),
    fc.record({
      kind: fc.constantFrom("post" as const, "void" as const),
      pick: fc.nat(20),
      part: fc.integer({ min: 1, max: 100 }),
    }),
  );
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      run += 1;
      const unit = "VMC";
      const account = (at: number): AccountName => `${names[at] ?? names[0]}${run}`;
      const model = new Map(
        names.map((_, at) => [account(at), { balance: at === 0 ? 1_000n : 0n, pending: 0n }]),
      );
      const of = (name: AccountName) => model.get(name) ?? { balance: 0n, pending: 0n };
      await done({
        kind: "transfer",
        key: `fund${run}`,
        debit: "issuer:test",
        credit: account(0),
        unit,
        amount: 1_000n,
      });
      const pending: { id: string; from: AccountName; to: AccountName; amount: bigint; open: boolean }[] = [];
      for (const [at, one] of steps.entries()) {
        const key = `${run}:${at}`;
        if ("from" in one) {
          const [from, to] = [account(one.from), account(one.to)];
          const fits = from !== to && of(from).balance - of(from).pending >= one.amount;
          const [outcome] = await submit({
            kind: one.kind,
            key,
            debit: from,
            credit: to,
            unit,
            amount: one.amount,
          });
          expect(outcome?.ok).toBe(fits);
          if (!outcome?.ok) continue;
          if (one.kind === "hold") {
            of(from).pending += one.amount;
            pending.push({ id: outcome.transfer.id, from, to, amount: one.amount, open: true });
          } else {
            of(from).balance -= one.amount;
            of(to).balance += one.amount;
          }
        } else {
          const held = pending[one.pick];
          if (!held) continue;
          const amount = one.kind === "post" ? (held.amount * BigInt(one.part) + 99n) / 100n : undefined;
          const [outcome] = await submit(
            one.kind === "post"
              ? { kind: "post", key, transferId: held.id, ...(amount !== undefined && { amount }) }
              : { kind: "void", key, transferId: held.id },
          );
          expect(outcome?.ok).toBe(held.open);
          if (!held.open) continue;
          held.open = false;
          of(held.from).pending -= held.amount;
          if (amount !== undefined) {
            of(held.from).balance -= amount;
            of(held.to).balance += amount;
          }
        }
      }
      for (const account of await ledger.accounts([...model.keys()]))
        expect({ balance: account.balance, pending: account.pending }).toEqual(of(account.name));
    }),
    { numRuns: 40 },
  );
  const trial = await ledger.trialBalance();
  expect(trial).toMatchObject({ balanced: true, mismatches: [] });
});

test("two instances that are given the same keys at once do the work once, and both answer", async () => {
  const other = openLedger(database.sql, clock);
  const both = (operation: LedgerOperation) =>
    Promise.all([ledger.submit([operation]), other.submit([operation])]).then((outcomes) => outcomes.flat());
  for (let round = 0; round < 20; round += 1) {
    const held = await both(hold(`same-${round}`, 10n));
    const ids = held.map((outcome) => (outcome.ok ? outcome.transfer.id : outcome.error.code));
    expect(ids[0]).toBe(ids[1]);
    const posted = await both({ kind: "post", key: `post-${round}`, transferId: ids[0] ?? "" });
    expect(posted.map((outcome) => outcome.ok)).toEqual([true, true]);
  }
  expect(await balances("agent:b")).toEqual({ balance: 200n, pending: 0n, available: 200n });
});

test("two instances that spend one account at once never overdraw it", async () => {
  const other = openLedger(database.sql, clock);
  const outcomes = await Promise.all(
    Array.from({ length: 40 }, (_, at) => (at % 2 ? ledger : other).submit([hold(`race-${at}`, 100n)])),
  );
  expect(outcomes.flat().filter(({ ok }) => ok)).toHaveLength(10);
  expect(await balances("agent:a")).toEqual({ balance: 1_000n, pending: 1_000n, available: 0n });
});

import { type Answer, Broken, type Context, newKey, type Party, same } from "./client.ts";

/** One rule that a ledger with this API must keep, and the experiment that shows whether it does. */
export interface Invariant {
  id: string;
  rule: string;
  check(context: Context): Promise<void>;
}

const unit = "VMC";
const transfers = "/api/v1/token/transfer";
const holds = "/api/v1/ledger/holds";

const pay = (from: Party, to: Party, amount: string, more: object = {}) =>
  from.send("POST", transfers, { key: newKey(), to: to.address, unit, amount, ...more });
const reserve = (from: Party, to: Party, amount: string, more: object = {}) =>
  from.send("POST", holds, { key: newKey(), to: to.address, unit, amount, ...more });
const resolve = (who: Party, id: unknown, how: "post" | "void" | "reversal", more: object = {}) =>
  who.send("POST", `/api/v1/ledger/transfers/${id}/${how}`, { key: newKey(), ...more });

async function pair(context: Context): Promise<[Party, Party]> {
  return [await context.agent(unit, "100"), await context.agent(unit)];
}

/** A refusal of one odd transfer, by its body's change. */
const odd = (
  id: string,
  rule: string,
  code: string,
  change: (payer: Party) => object | string,
): Invariant => ({
  id,
  rule,
  async check(context) {
    const [payer, payee] = await pair(context);
    const changed = change(payer);
    const body =
      typeof changed === "string"
        ? changed
        : { key: newKey(), to: payee.address, unit, amount: "1", ...changed };
    await context.refused(payer, unit, code, () => payer.send("POST", transfers, body));
  },
});

export const invariants: readonly Invariant[] = [
  {
    id: "L1",
    rule: "A transfer takes from one account exactly what it gives to the other",
    async check(context) {
      const [payer, payee] = await pair(context);
      await context.ok(pay(payer, payee, "12.5"));
      same(await context.figures(payer, unit), ["87.5", "0", "87.5"], "payer");
      same(await context.figures(payee, unit), ["12.5", "0", "12.5"], "payee");
    },
  },
  {
    id: "L2",
    rule: "A hold reserves and moves nothing; posting moves it; both are answered with what happened",
    async check(context) {
      const [payer, payee] = await pair(context);
      const held = await context.ok(reserve(payer, payee, "30"));
      same(held.state, "pending", "state");
      same(await context.figures(payer, unit), ["100", "30", "70"], "while pending");
      const posted = await context.ok(resolve(payer, held.id, "post"));
      same(posted.state, "posted", "state");
      same(await context.figures(payer, unit), ["70", "0", "70"], "payer");
      same(await context.figures(payee, unit), ["30", "0", "30"], "payee");
    },
  },
  {
    id: "L3",
    rule: "Voiding a hold gives everything back",
    async check(context) {
      const [payer, payee] = await pair(context);
      const held = await context.ok(reserve(payer, payee, "30"));
      same((await context.ok(resolve(payer, held.id, "void"))).state, "voided", "state");
      same(await context.figures(payer, unit), ["100", "0", "100"], "payer");
    },
  },
  {
    id: "L4",
    rule: "Posting a part moves the part and releases the rest",
    async check(context) {
      const [payer, payee] = await pair(context);
      const held = await context.ok(reserve(payer, payee, "30"));
      await context.ok(resolve(payer, held.id, "post", { amount: "10" }));
      same(await context.figures(payer, unit), ["90", "0", "90"], "payer");
    },
  },
  {
    id: "L5",
    rule: "A hold is resolved at most once",
    async check(context) {
      const [payer, payee] = await pair(context);
      const held = await context.ok(reserve(payer, payee, "30"));
      await context.ok(resolve(payer, held.id, "post"));
      for (const how of ["post", "void"] as const)
        await context.refused(payer, unit, "TRANSFER_NOT_PENDING", () => resolve(payer, held.id, how));
    },
  },
  {
    id: "L6",
    rule: "No more is posted than was reserved",
    async check(context) {
      const [payer, payee] = await pair(context);
      const held = await context.ok(reserve(payer, payee, "30"));
      await context.refused(payer, unit, "TRANSFER_EXCEEDS_PENDING", () =>
        resolve(payer, held.id, "post", { amount: "31" }),
      );
    },
  },
  {
    id: "L7",
    rule: "The same key with the same request gives the first answer, byte for byte, and moves nothing again",
    async check(context) {
      const [payer, payee] = await pair(context);
      const body = { key: newKey(), to: payee.address, unit, amount: "30", memo: "ünïcode ✓" };
      const first = await payer.send("POST", holds, body);
      const held = await context.ok(Promise.resolve(first));
      const posting = { key: newKey() };
      const path = `/api/v1/ledger/transfers/${held.id}/post`;
      const posted = await payer.send("POST", path, posting);
      same(
        (await payer.send("POST", holds, body)).text,
        first.text,
        "the hold, repeated after it was posted",
      );
      same((await payer.send("POST", path, posting)).text, posted.text, "the post, repeated");
      same(await context.figures(payer, unit), ["70", "0", "70"], "payer");
    },
  },
  {
    id: "L8",
    rule: "The same key with another request is refused by name",
    async check(context) {
      const [payer, payee] = await pair(context);
      const body = { key: newKey(), to: payee.address, unit, amount: "1" };
      await context.ok(payer.send("POST", transfers, body));
      await context.refused(payer, unit, "IDEMPOTENCY_CONFLICT", () =>
        payer.send("POST", transfers, { ...body, amount: "2" }),
      );
    },
  },
  {
    id: "L9",
    rule: "Twenty at once with one key are one transfer",
    async check(context) {
      const [payer, payee] = await pair(context);
      const body = { key: newKey(), to: payee.address, unit, amount: "7" };
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => payer.send("POST", transfers, body)),
      );
      same([...new Set(answers.map(({ text }) => text))].length, 1, "different answers");
      same(await context.figures(payer, unit), ["93", "0", "93"], "payer");
    },
  },
  {
    id: "L10",
    rule: "Twenty at once never spend more than there is",
    async check(context) {
      const [payer, payee] = await pair(context);
      const answers = await Promise.all(Array.from({ length: 20 }, () => pay(payer, payee, "30")));
      same(answers.filter(({ status }) => status === 200).length, 3, "accepted");
      same(await context.figures(payer, unit), ["10", "0", "10"], "payer");
    },
  },
  {
    id: "L11",
    rule: "A posted transfer is taken back by another, up to what it moved and no further",
    async check(context) {
      const [payer, payee] = await pair(context);
      const paid = await context.ok(pay(payer, payee, "30"));
      const refund = await context.ok(resolve(payee, paid.id, "reversal", { amount: "20" }));
      same(refund.reverses, paid.id, "reverses");
      await context.refused(payee, unit, "TRANSFER_EXCEEDS_POSTED", () =>
        resolve(payee, paid.id, "reversal", { amount: "11" }),
      );
      await context.ok(resolve(payee, paid.id, "reversal"));
      same(await context.figures(payer, unit), ["100", "0", "100"], "payer");
    },
  },
  {
    id: "L12",
    rule: "Only the payer spends from its account and posts its holds",
    async check(context) {
      const [payer, payee] = await pair(context);
      await context.refused(payer, unit, "FORBIDDEN", () => pay(payee, payee, "1", { from: payer.address }));
      const held = await context.ok(reserve(payer, payee, "30"));
      await context.refused(payer, unit, "FORBIDDEN", () => resolve(payee, held.id, "post"));
      const stranger = await context.agent(unit);
      await context.refused(payer, unit, "FORBIDDEN", () => resolve(stranger, held.id, "void"));
    },
  },
  {
    id: "L13",
    rule: "A suspended account neither pays nor is paid; its holds can be voided",
    async check(context) {
      const [payer, payee] = await pair(context);
      const held = await context.ok(reserve(payer, payee, "30"));
      const suspend = (isSuspended: boolean) =>
        context.ok(
          context.operator.send("POST", "/api/v1/admin/accounts/suspend", {
            account: payee.address,
            isSuspended,
          }),
        );
      await suspend(true);
      await context.refused(payer, unit, "ACCOUNT_SUSPENDED", () => pay(payer, payee, "1"));
      await context.refused(payer, unit, "ACCOUNT_SUSPENDED", () => resolve(payer, held.id, "post"));
      await context.ok(resolve(payer, held.id, "void"));
      await suspend(false);
      await context.ok(pay(payer, payee, "1"));
    },
  },
  {
    id: "L14",
    rule: "A limit is charged with the hold, given back with the void, and says what is left and when it resets",
    async check(context) {
      const [payer, payee] = await pair(context);
      await context.ok(
        context.operator.send("PUT", "/api/v1/ledger/limits", {
          account: payer.address,
          unit,
          daily: "50",
          transaction: "40",
        }),
      );
      await context.refused(payer, unit, "BUDGET_EXCEEDED", () => pay(payer, payee, "41"));
      const held = await context.ok(reserve(payer, payee, "30"));
      const refusal = await context.refused(payer, unit, "BUDGET_EXCEEDED", () => pay(payer, payee, "21"));
      same((refusal.facts as Record<string, unknown>).period, "daily", "period");
      const answer = await context.ok(payer.get(`/api/v1/ledger/can-spend?unit=${unit}&amount=21`));
      same(
        [answer.canSpend, answer.reason, answer.broken],
        [false, "BUDGET_EXCEEDED", ["daily"]],
        "canSpend",
      );
      if (!(Number(answer.possibleAt) > Date.now())) throw new Broken(`possibleAt is ${answer.possibleAt}`);
      await context.ok(resolve(payer, held.id, "void"));
      same(
        (await context.ok(payer.get(`/api/v1/ledger/can-spend?unit=${unit}&amount=21`))).canSpend,
        true,
        "canSpend",
      );
    },
  },
  {
    id: "L15",
    rule: "A hold past its time is not posted, and cannot be opened in the past",
    async check(context) {
      const [payer, payee] = await pair(context);
      await context.refused(payer, unit, "TRANSFER_EXPIRED", () =>
        reserve(payer, payee, "1", { expiresAt: Date.now() - 60_000 }),
      );
      const expiresAt = Date.now() + 400;
      const held = await context.ok(reserve(payer, payee, "30", { expiresAt }));
      let late: Answer;
      do late = await resolve(payer, held.id, "post", { amount: "31" });
      while (late.body.error_code === "TRANSFER_EXCEEDS_PENDING");
      if (!["TRANSFER_EXPIRED", "TRANSFER_NOT_PENDING"].includes(String(late.body.error_code)))
        throw new Broken(`answered ${late.text}`);
    },
  },
  {
    id: "L16",
    rule: "A statement lists every entry once, page by page, and each balance follows from the one before",
    async check(context) {
      const [payer, payee] = await pair(context);
      for (let at = 1; at <= 5; at += 1)
        await context.ok(pay(payer, payee, String(at), { reference: `r${at}` }));
      const seen: Record<string, { amount: string }>[] = [];
      for (let next: unknown = ""; next !== null; ) {
        const cursor = next ? `&cursor=${next}` : "";
        const answer = await context.ok(
          payer.get(`/api/v1/token/transactions?unit=${unit}&limit=2${cursor}`),
        );
        seen.push(...(answer.items as typeof seen));
        next = answer.next;
      }
      same(
        seen.map((entry) => entry.amount?.amount),
        ["-5", "-4", "-3", "-2", "-1", "100"],
        "amounts",
      );
      same(
        seen.map((entry) => entry.balanceAfter?.amount),
        ["85", "90", "94", "97", "99", "100"],
        "balances",
      );
      const file = await context.ok(payer.get(`/api/v1/ledger/statement?unit=${unit}&format=csv`));
      same(String(file.text).split("\r\n").length, 8, "lines of the CSV");
    },
  },
  {
    id: "L17",
    rule: "The balance at a past time is what it was then",
    async check(context) {
      const [payer, payee] = await pair(context);
      const first = await context.ok(pay(payer, payee, "10"));
      await new Promise((done) => setTimeout(done, 5));
      await context.ok(pay(payer, payee, "20"));
      const answer = await context.ok(
        payer.get(`/balance/${payer.address}?unit=${unit}&at=${first.resolvedAt}`),
      );
      same((answer.past as { balance: unknown }).balance, { amount: "90", unit }, "balance");
    },
  },
  {
    id: "L18",
    rule: "The short paths of the same operations answer alike",
    async check(context) {
      const [payer, payee] = await pair(context);
      const body = { key: newKey(), to: payee.address, unit, amount: "5" };
      const first = await payer.send("POST", "/transfer", body);
      same((await payer.send("POST", transfers, body)).text, first.text, "the same key under the other path");
    },
  },
  {
    id: "L19",
    rule: "A fee is what was calculated, and goes to the treasury with the transfer",
    async check(context) {
      const payer = await context.agent("AVT", "10");
      const payee = await context.agent("AVT");
      const quote = await context.ok(payer.get("/api/v1/token/fees/calculate?unit=AVT&amount=2"));
      const paid = await context.ok(
        payer.send("POST", transfers, { key: newKey(), to: payee.address, unit: "AVT", amount: "2" }),
      );
      const { amount: fee = "0" } = (quote.fee ?? {}) as { amount?: string };
      same((paid.fee as { amount: string } | null)?.amount ?? "0", fee, "fee");
      same((await context.figures(payee, "AVT"))[0], "2", "payee");
    },
  },
  {
    id: "L20",
    rule: "The books balance: every unit sums to zero",
    async check(context) {
      const answer = await context.ok(context.operator.get("/api/v1/ledger/reconciliation"));
      same(answer.ledgerBalanced, true, "ledgerBalanced");
    },
  },
  odd("B1", "A negative amount is refused", "VALIDATION_INVALID_INPUT", () => ({ amount: "-1" })),
  odd("B2", "Zero is refused", "AMOUNT_INVALID", () => ({ amount: "0" })),
  odd("B3", "More than 38 digits are refused", "AMOUNT_INVALID", () => ({ amount: "9".repeat(38) })),
  odd("B4", "Too many decimals are refused", "AMOUNT_INVALID", () => ({ amount: "0.0000001" })),
  odd("B5", "What is no number is refused", "VALIDATION_INVALID_INPUT", () => ({ amount: "NaN" })),
  odd("B6", "An exponent is refused", "VALIDATION_INVALID_INPUT", () => ({ amount: "1e3" })),
  odd("B7", "A number instead of text is refused", "VALIDATION_INVALID_INPUT", () => ({ amount: 1 })),
  odd("B8", "An unknown unit is refused", "VALIDATION_INVALID_INPUT", () => ({ unit: "DOGE" })),
  odd("B9", "A unit that cannot be given away is refused", "UNIT_NOT_TRANSFERABLE", () => ({ unit: "ATP" })),
  odd("B10", "Paying oneself is refused", "TRANSFER_SELF", (payer) => ({ to: payer.address })),
  odd("B11", "An unknown account is refused", "ACCOUNT_UNKNOWN", () => ({ to: `0x${"1".repeat(40)}` })),
  odd("B12", "More than there is, is refused", "INSUFFICIENT_FUNDS", () => ({ amount: "100.000001" })),
  odd("B13", "SQL in a name is refused", "VALIDATION_INVALID_INPUT", () => ({
    to: "agent:x'; DROP TABLE account; --",
  })),
  odd("B14", "NUL in a memo is refused", "VALIDATION_INVALID_INPUT", () => ({ memo: "a\u0000b" })),
  odd("B15", "Half a surrogate pair is refused", "VALIDATION_INVALID_INPUT", () => ({ memo: "\ud800" })),
  odd("B16", "A missing key is refused", "VALIDATION_INVALID_INPUT", () => ({ key: undefined })),
  odd("B17", "A body that is no JSON is refused", "BODY_MALFORMED", () => "{"),
  odd("B18", "A body of 10 MB is refused", "BODY_TOO_LARGE", () => ({ memo: "x".repeat(10_000_000) })),
  {
    id: "B19",
    rule: "An unknown transfer is refused",
    async check(context) {
      const [payer] = await pair(context);
      for (const id of ["999999999999", "0", "-1", "1;DROP TABLE journal", "９"])
        await context.refused(payer, unit, "TRANSFER_UNKNOWN", () =>
          resolve(payer, encodeURIComponent(id), "post"),
        );
    },
  },
  {
    id: "B20",
    rule: "SQL and markup in free text are kept as they are",
    async check(context) {
      const [payer, payee] = await pair(context);
      const memo = `'; DROP TABLE journal; -- "\\" {},NULL <script> ﷽ 𝕏`;
      const paid = await context.ok(
        pay(payer, payee, "1", { memo, metadata: { 'a"\\b': memo.slice(0, 40) } }),
      );
      const shown = await context.ok(payer.get(`/api/v1/ledger/transfers/${paid.id}`));
      same([shown.memo, shown.metadata], [memo, { 'a"\\b': memo.slice(0, 40) }], "text");
    },
  },
];

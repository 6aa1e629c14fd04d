import { expect, test } from "vitest";
import { cutEpoch } from "#offchain/features/clearing/jobs/cut.ts";
import { creditedTo } from "#offchain/features/clearing/store/credits.ts";
import { lockBooks } from "#offchain/features/payments/store/channels.ts";
import { hexOf } from "#offchain/platform/database/bytes.ts";
import { type Books, eachWithBooks, hex } from "../../../support/books.ts";

let books: Books;
eachWithBooks((opened) => {
  books = opened;
});

const cut = () =>
  cutEpoch(
    { sql: books.sql, books: { lock: (tx, runId) => lockBooks(tx, runId, "alone") } },
    books.runId,
    1n,
    books.now,
  );

test("whatever epochs are cut while payments are booked, an epoch contains every receipt that names it", async () => {
  const { sql } = books;
  books.policy = { ...books.policy, batchSize: 1_000_000, minAmount: 10n ** 12n };
  const payees = [hex(20), hex(20), hex(20)] as const;
  for (const payee of payees)
    await sql`INSERT INTO agent (address, name, role, registered_at)
              VALUES (${Buffer.from(payee.slice(2), "hex")}, ${payee}, 'seller', 0)`;
  const channels = await Promise.all(Array.from({ length: 4 }, () => books.openChannel()));
  await sql`UPDATE channel SET is_cleared = true`;
  const payers = new Map(
    (
      await sql<{ id: string; payer: string }[]>`
        SELECT '0x' || encode(channel_id, 'hex') AS id, '0x' || encode(payer, 'hex') AS payer FROM channel`
    ).map(({ id, payer }) => [id, payer]),
  );
  const receipts: { payee: string; cumulative: bigint; epoch: number }[] = [];
  const pay = async (channelId: `0x${string}`, at: number) => {
    const payment = {
      channelId,
      key: `credit ${at}`,
      maxClaimableAmount: BigInt(at * 10),
      signature: Buffer.alloc(64),
      amount: undefined,
      payee: payees[at % payees.length],
      ticketId: undefined,
      reference: undefined,
      submitter: payers.get(channelId) ?? null,
    };
    const [outcome] = await books.book([payment]);
    if (!outcome?.ok || !outcome.receipt.credit) throw new Error("not credited");
    const { cumulative, epoch } = outcome.receipt.credit;
    receipts.push({ payee: outcome.receipt.payee.toLowerCase(), cumulative: BigInt(cumulative), epoch });
  };
  const intake = async (channelId: `0x${string}`) => {
    for (let at = 2; at <= 26; at += 1) await pay(channelId, at);
  };
  // The batch that all share is open from here on.
  for (const channelId of channels) await pay(channelId, 1);
  const cuts: number[] = [];
  const cutter = async () => {
    while (receipts.length < 104) {
      const number = await cut();
      if (number !== null) cuts.push(number);
    }
  };
  await Promise.all([...channels.map(intake), cutter()]);
  expect(cuts.length).toBeGreaterThan(2);
  expect(cuts).toEqual(cuts.map((_, at) => at + 1));
  const rows = await sql<{ number: number; payee: Uint8Array; total: bigint }[]>`
    SELECT number, payee, total FROM clearing_row WHERE run_id = ${books.runId} ORDER BY number`;
  const creditedBy = (epoch: number, payee: string) =>
    rows.findLast((row) => row.number <= epoch && hexOf(row.payee) === payee)?.total ?? 0n;
  // Named by the newest receipts, and not cut yet.
  for (const { payee, cumulative, epoch } of receipts)
    if (epoch <= cuts.length) expect(creditedBy(epoch, payee)).toBeGreaterThanOrEqual(cumulative);
  const sum = await Promise.all(payees.map((payee) => creditedTo(sql, books.runId, payee)));
  expect(sum.reduce((one, other) => one + other)).toBe(1_040n);
});

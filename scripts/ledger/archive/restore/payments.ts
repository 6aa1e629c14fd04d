import type { LedgerOperation } from "#offchain/features/ledger/rules/transfer.ts";
import type { KeptBooks } from "#offchain/features/ledger/service.ts";
import { channelAccount, payeeAccount } from "#offchain/features/payments/rules/accounts.ts";
import { type ChannelRow, lockChannels } from "#offchain/features/payments/store/channels.ts";
import { unclaimed } from "#offchain/features/payments/store/claims.ts";
import { closeSettlement } from "#offchain/features/payments/store/settlements.ts";
import { bytesOf, list } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import { ArchiveFault, type Line } from "../files.ts";
import type { Followed } from "./follow.ts";
import { type PaymentLine, VoucherCheck } from "./vouchers.ts";

/** No transfer: of a payment that the chain has claimed already, until `finish` finds what claimed it. */
const noTransfer = "0";

/** A payment with its channel as the chain has left it. */
interface Placed {
  readonly line: PaymentLine;
  readonly channel: ChannelRow;
  /** What of it is not claimed yet, base units. */
  readonly owed: bigint;
}

/**
 * Puts archived vouchers into books that the chain's events have made: what the chain has claimed is history, the rest is
 * reserved in its channel again and waits for its settlement.
 */
export class PaymentReplay {
  readonly #followed: Followed;
  readonly #sql: Sql;
  readonly #books: KeptBooks;
  readonly check: VoucherCheck;
  count = 0;
  /** Payments whose channel holds too little for them: their payer has withdrawn. */
  uncovered = 0;

  constructor(followed: Followed) {
    this.#followed = followed;
    this.#sql = followed.platform.sql;
    this.check = new VoucherCheck(followed);
    const [first] = followed.chains;
    this.#books = followed.servicesOn(first?.chainId ?? 0).ledger.keepBooks();
  }

  /** Lines in their order. @throws ArchiveFault */
  async add(lines: readonly Line[]): Promise<void> {
    const payments = lines as unknown as readonly PaymentLine[];
    if (payments.length === 0) return;
    await this.check.check(payments);
    await this.#sql.begin(async (tx) => {
      await this.#books.take(tx);
      const placed = await this.#place(tx, payments);
      await insert(tx, placed, await this.#reserve(tx, placed));
      await saveNewest(tx, placed);
    });
    this.count += lines.length;
  }

  async #place(tx: Tx, payments: readonly PaymentLine[]): Promise<Placed[]> {
    const channels = new Map<string, ChannelRow>();
    for (const [chainId, ofChain] of Map.groupBy(payments, (line) => line.chainId)) {
      const ids = ofChain.map(({ channelId }) => channelId);
      for (const [id, channel] of await lockChannels(tx, this.#followed.runOf(chainId), ids))
        channels.set(`${chainId} ${id}`, channel);
    }
    return payments.map((line) => {
      const channel = channels.get(`${line.chainId} ${line.channelId}`);
      if (!channel)
        throw new ArchiveFault(
          `payment ${line.id} is by channel ${line.channelId}, which chain ${line.chainId} does not know`,
        );
      const [left, amount] = [BigInt(line.cumulative) - channel.claimed, BigInt(line.amount)];
      return { line, channel, owed: left <= 0n ? 0n : left < amount ? left : amount };
    });
  }

  /** @returns the transfer that reserves each payment: one for those of a channel and batch */
  async #reserve(tx: Tx, placed: readonly Placed[]): Promise<string[]> {
    const waiting = placed.filter(({ owed }) => owed > 0n);
    const groups = [...Map.groupBy(waiting, ({ line, channel }) => `${channel.id} ${line.batch}`)];
    const holds = groups.map(([, group]) => holdOf(group));
    const now = Math.max(...placed.map(({ line }) => line.acceptedAt));
    const outcomes = await this.#books.apply(tx, holds, now, false);
    const ids = new Map(
      groups.map(([key, group], at) => {
        const outcome = outcomes[at];
        if (!outcome?.ok) this.uncovered += group.length;
        return [key, outcome?.ok ? outcome.transfer.id : noTransfer];
      }),
    );
    return placed.map(({ line, channel, owed }) =>
      owed > 0n ? (ids.get(`${channel.id} ${line.batch}`) ?? noTransfer) : noTransfer,
    );
  }

  /** Once all payments are there: notes what claimed each, and which batches are settled. */
  async finish(): Promise<void> {
    const sql = this.#sql;
    await sql.begin(noteClaims);
    const due = await sql<{ id: bigint; at: bigint | null }[]>`
      SELECT b.id, coalesce(b.settled_at, (
        SELECT max(k.block_at) FROM payment p
        JOIN channel_claim c ON c.channel = p.channel AND c.before < p.cumulative AND c.after >= p.cumulative
        JOIN chain_block k ON k.hash = c.block_hash WHERE p.batch_id = b.id)) AS at
      FROM batch b WHERE b.state = 'closed' AND NOT EXISTS (SELECT FROM ${unclaimed(sql)} WHERE p.batch_id = b.id)
      ORDER BY b.id`;
    for (const { id, at } of due) await sql.begin((tx) => closeSettlement(tx, id, Number(at ?? 0)));
    await sql`UPDATE batch SET settled_at = NULL WHERE state IN ('open', 'closed') AND settled_at IS NOT NULL`;
  }
}

function holdOf(group: readonly Placed[]): LedgerOperation {
  const [first] = group;
  if (!first) throw new Error("a group of payments is empty");
  const { channel, line } = first;
  return {
    kind: "hold",
    key: `voucher:${channel.id}:${line.cumulative}`,
    debit: channelAccount(channel),
    credit: payeeAccount(channel.runId, channel.receiver),
    unit: channel.unit,
    amount: group.reduce((sum, { owed }) => sum + owed, 0n),
    reference: `batch:${line.batch}`,
  };
}

async function insert(tx: Tx, placed: readonly Placed[], transfers: readonly string[]): Promise<void> {
  const column = <Value extends Parameters<typeof list>[0][number]>(of: (placed: Placed) => Value) =>
    list(placed.map(of));
  await tx`
    INSERT INTO payment (id, channel, key, cumulative, amount, signature, batch_id, transfer_id, ticket_id, reference, accepted_at,
                         payee, credited, epoch, office)
    OVERRIDING SYSTEM VALUE
    SELECT id, channel, key, cumulative, amount, signature::bytea, batch, transfer, ticket, reference, at, payee::bytea,
           credited, epoch, office
    FROM unnest(
      ${column(({ line }) => line.id)}::bigint[], ${column(({ channel }) => channel.id)}::bigint[],
      ${column(({ line }) => line.key)}::text[], ${column(({ line }) => line.cumulative)}::numeric[],
      ${column(({ line }) => line.amount)}::numeric[], ${column(({ line }) => bytesOf(line.signature))}::text[],
      ${column(({ line }) => line.batch)}::bigint[], ${list(transfers)}::text[],
      ${column(({ line }) => line.ticketId)}::text[], ${column(({ line }) => line.reference)}::text[],
      ${column(({ line }) => line.acceptedAt)}::bigint[],
      ${column(({ line }) => (line.payee === null ? null : bytesOf(line.payee)))}::text[],
      ${column(({ line }) => line.credited)}::numeric[], ${column(({ line }) => line.epoch)}::integer[],
      ${column(({ line }) => line.office)}::integer[])
      AS new(id, channel, key, cumulative, amount, signature, batch, transfer, ticket, reference, at, payee, credited, epoch, office)`;
}

/** The newest voucher of each channel. */
async function saveNewest(tx: Tx, placed: readonly Placed[]): Promise<void> {
  const newest = [...new Map(placed.map((each) => [each.channel.id, each])).values()];
  await tx`
    UPDATE channel SET accepted = greatest(channel.accepted, new.accepted), voucher_signature = new.signature::bytea
    FROM unnest(${list(newest.map(({ channel }) => channel.id))}::bigint[],
                ${list(newest.map(({ line }) => line.cumulative))}::numeric[],
                ${list(newest.map(({ line }) => bytesOf(line.signature)))}::text[]) AS new(id, accepted, signature)
    WHERE channel.id = new.id`;
}

/** What moved a claimed payment's money is the transfer of the claim that covers it. */
async function noteClaims(tx: Tx): Promise<void> {
  await tx`
    UPDATE payment p SET transfer_id = moved.id FROM (
      SELECT k.channel, k.before, k.after, t.id::text FROM channel_claim k
      JOIN account a ON a.name = 'channel:' || k.channel
      JOIN transfer t ON t.debit = a.id AND t.reference = '0x' || encode(k.transaction_hash, 'hex') || ':' || k.log_index
    ) moved
    WHERE p.transfer_id = ${noTransfer} AND p.channel = moved.channel AND p.cumulative > moved.before
      AND p.cumulative <= moved.after`;
}

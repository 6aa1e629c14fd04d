import type { Clock } from "#offchain/core/clock.ts";
import type { Agents } from "#offchain/features/agents/service.ts";
import type { Energy } from "#offchain/features/energy/service.ts";
import type { Ledger } from "#offchain/features/ledger/service.ts";
import type { Chain } from "#offchain/platform/chain/chain.ts";
import type { Recovery } from "#offchain/platform/chain/signatures/recovery.ts";
import type { CommitLimits } from "#offchain/platform/database/commitQueue.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import type { Postings } from "./events/postings.ts";
import type { BookingParties } from "./intake/booking.ts";
import { Intake } from "./intake/intake.ts";
import { channelOpening } from "./intake/opening.ts";
import { storedReceipt } from "./intake/receipt.ts";
import { openReceiptSigner, type ReceiptSigner } from "./intake/receiptSigner.ts";
import type { TokenCheck } from "./intake/tokens.ts";
import { VoucherVerification } from "./intake/verification.ts";
import type { BatchPolicies } from "./rules/batch.ts";
import { type ChannelTokens, usdcUnit } from "./rules/tokens.ts";
import {
  type AcceptedListener,
  type Hub,
  type HubBooks,
  type Payments,
  provenReceipt,
  type SoldChannels,
} from "./service.ts";
import { areClearedUntil, batchById, forceBatches, forceCleared, listBatches } from "./store/batches.ts";
import { channelView, findChannels, listChannels, lockBooks } from "./store/channels.ts";
import { closingChannels } from "./store/closing.ts";
import { openFigures } from "./store/figures.ts";
import { lockPromised } from "./store/promised.ts";
import { listPaymentRows, paymentById, type StoredPayment } from "./store/receipts.ts";
import { channelsOfSnapshot } from "./store/within.ts";

export interface PaymentOptions {
  sql: Sql;
  clock: Clock;
  chain: Chain;
  recovery: Recovery;
  /** Forged vouchers of one request after which the rest of it is not looked at. */
  forgedMax: number;
  /** How long vouchers are taken after the chain's head was lost. */
  lagMaxMs: number;
  ledger: Ledger;
  agents: Agents;
  energy: Energy;
  postings: Postings;
  policies: BatchPolicies;
  tokens: ChannelTokens;
  tokenCheck: TokenCheck;
  queue: CommitLimits;
  /** Told of what was accepted, for the metrics. */
  onAccepted: AcceptedListener;
}

/** Channels, vouchers and batches on one chain. */
export function openPayments(options: PaymentOptions): Payments {
  const { sql, clock, chain, agents, policies, tokens } = options;
  const listeners = [options.onAccepted];
  const others: { hub: Hub | null; sold: SoldChannels | null } = { hub: null, sold: null };
  const receipts = signerOf(chain, () => others.hub);
  const intake = openIntake(options, receipts, others, (count, value, unit) => {
    for (const listener of listeners) listener(count, value, unit);
  });
  return {
    tokens: tokens.all,
    policy: policies(usdcUnit),
    openChannel: channelOpening({
      sql,
      clock,
      view: chain.view,
      sender: chain.sender,
      agents,
      chainId: chain.chainId,
      addresses: chain.contracts,
      tokens,
      confirm: (token) => options.tokenCheck.confirm(token),
      isBonded: async () => (await others.hub?.isBonded()) ?? false,
    }),
    pay: (payments, submitter) => intake.pay(payments, submitter),
    ...channelReads(options),
    ...receiptReads(options, receipts),
    ...batchReads(options),
    ...channelsOfSnapshot(tokens),
    figures: openFigures(sql, chain.chainId, () => chain.view.runNow()),
    lockPromised,
    hubBooks: hubBooks(options),
    onAccepted: (listener) => void listeners.push(listener),
    joinHub(hub) {
      others.hub = hub;
    },
    registerSoldChannels(sold) {
      others.sold = sold;
    },
  };
}

const signerOf = ({ chainId, operator, contracts }: Chain, hub: () => Hub | null): ReceiptSigner =>
  openReceiptSigner({
    chainId,
    signer: operator,
    settlement: contracts.batchSettlement,
    signCredit(credit) {
      const joined = hub();
      if (!joined) throw new Error("a credit has no hub to sign it");
      return joined.signCredit(credit);
    },
  });

function openIntake(
  {
    sql,
    clock,
    chain,
    recovery,
    forgedMax,
    lagMaxMs,
    ledger,
    agents,
    energy,
    policies,
    queue,
  }: PaymentOptions,
  receipts: ReceiptSigner,
  others: Pick<BookingParties, "sold"> & { hub: Hub | null },
  onAccepted: AcceptedListener,
): Intake {
  const { view, client, chainId, contracts, sender } = chain;
  const books = ledger.keepBooks();
  const verification = new VoucherVerification({
    sql,
    clock,
    view,
    client: client.reader,
    untrustedCode: client.untrustedCode,
    recovery,
    chainId,
    settlement: contracts.batchSettlement,
    operator: sender.sender,
    forgedMax,
  });
  return new Intake({
    sql,
    clock,
    view,
    verification,
    receipts,
    parties: () => ({ books, agents, energy, ...others }),
    policies,
    lagMaxMs,
    queue,
    onAccepted,
  });
}

const channelReads = ({
  sql,
  chain,
}: PaymentOptions): Pick<Payments, "channel" | "channels" | "closing"> => ({
  async channel(channelId, asker) {
    const [channel] = await findChannels(sql, chain.view.runNow(), [channelId]);
    return channel ? channelView(channel, asker) : null;
  },
  async channels({ payer, receiver, cursor, limit }) {
    const rows = await listChannels(sql, chain.view.runNow(), { payer, receiver, before: cursor, limit });
    return { items: rows.map((row) => channelView(row)), next: nextOf(rows, limit) };
  },
  closing: async () => closingChannels(sql, chain.view.runNow()),
});

function receiptReads(
  { sql, chain, energy }: PaymentOptions,
  signer: ReceiptSigner,
): Pick<Payments, "receipt" | "payments"> {
  async function receiptsOf(payments: readonly StoredPayment[]) {
    const work = await energy.completedWork(payments.flatMap(({ ticketId }) => ticketId ?? []));
    return payments.map((payment) => storedReceipt(payment, work.get(payment.ticketId ?? "") ?? null));
  }
  return {
    async receipt(paymentId) {
      const id = numberOf(paymentId);
      const payment = id === undefined ? null : await paymentById(sql, chain.chainId, id);
      if (!payment) return null;
      const {
        receipts: [receipt],
        signed,
      } = await signer.sign(await receiptsOf([payment]));
      return receipt ? provenReceipt({ ok: true, receipt, replayed: true, signed, leaf: 0 }) : null;
    },
    async payments({ payer, payee, batchId, cursor, limit }) {
      const rows = await listPaymentRows(sql, chain.chainId, {
        payer,
        payee,
        batchId,
        before: cursor,
        limit,
      });
      return { items: await receiptsOf(rows), next: nextOf(rows, limit) };
    },
  };
}

const batchReads = ({
  sql,
  clock,
  chain,
}: PaymentOptions): Pick<Payments, "batch" | "batches" | "flush"> => ({
  async batch(batchId) {
    const id = numberOf(batchId);
    return id === undefined ? null : batchById(sql, chain.chainId, id);
  },
  async batches({ cursor, limit }) {
    const items = await listBatches(sql, chain.chainId, cursor, limit);
    return { items, next: items.length === limit ? (items.at(-1)?.batchId ?? null) : null };
  },
  async flush() {
    const batchIds = (await forceBatches(sql, chain.view.runNow(), clock.now())).map(String);
    return { batchId: batchIds[0] ?? null, batchIds };
  },
});

/** The channels' side of the books, for the hub's events. */
const hubBooks = ({ sql, postings }: PaymentOptions): HubBooks => ({
  lock: (tx, runId) => lockBooks(tx, runId, "alone"),
  heldFor: (tx, runId, payee) => postings.heldFor(tx, { runId, payee, unit: usdcUnit }),
  changePaidOut: (tx, runId, payee, amount, place) =>
    postings.changePaidOut(tx, { runId, payee, unit: usdcUnit }, amount, place),
  async areClaimed(runId, at) {
    if (await areClearedUntil(sql, runId, at)) return true;
    await forceCleared(sql, runId, at);
    return false;
  },
});

/** The number that an id in a path stands for; undefined: of nothing. */
const numberOf = (id: string): bigint | undefined => (/^\d{1,18}$/.test(id) ? BigInt(id) : undefined);

const nextOf = (rows: readonly { id: bigint }[], limit: number): string | null =>
  rows.length === limit ? (rows.at(-1)?.id.toString() ?? null) : null;

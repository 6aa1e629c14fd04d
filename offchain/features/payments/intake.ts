import { type Address, encodeAbiParameters, encodeFunctionData, type Hex, zeroAddress } from "viem";
import { batchSettlementAbi } from "#contracts";
import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import { parseAmount } from "#offchain/core/unit.ts";
import { knownAgents } from "#offchain/features/agents/store.ts";
import { Books } from "#offchain/features/ledger/books/books.ts";
import type { ChainReader } from "#offchain/platform/chain/client.ts";
import type { ChainView, Transactions } from "#offchain/platform/chain/port.ts";
import type { Recovery } from "#offchain/platform/chain/recovery.ts";
import { addressOfKey, parseSignature, recoverAddress } from "#offchain/platform/chain/secp256k1.ts";
import { enqueueTransaction } from "#offchain/platform/chain/sender/transactionStore.ts";
import { bytesOf, hexOf } from "#offchain/platform/database/bytes.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { GroupCommit, type GroupCommitLimits } from "#offchain/platform/database/groupCommit.ts";
import type { BatchPolicy } from "./batchPolicy.ts";
import { PayerSignatures } from "./payerSignature.ts";
import type { ReceiptSigner } from "./receiptSigner.ts";
import {
  type ChannelConfig,
  type DepositAuthorization,
  type Micropayments,
  type PaymentOutcome,
  type PaymentRequest,
  provenReceipt,
} from "./service.ts";
import { batchById, forceBatches, listBatches } from "./store/batches.ts";
import { channelUnit, channelView, findChannels, listChannels, saveChannel } from "./store/channels.ts";
import { type BookedPayment, bookPayments, type VerifiedPayment } from "./store/payments.ts";
import {
  bookedVouchers,
  listPaymentRows,
  type PaymentRow,
  paymentById,
  rowReceipt,
} from "./store/receipts.ts";
import { ticketFacts } from "./store/tickets.ts";
import { compactSignature, voucherHasher } from "./voucherHash.ts";

export interface MicropaymentOptions {
  sql: Sql;
  clock: Clock;
  view: ChainView;
  sender: Transactions;
  /** Asked only about payers that sign for themselves. */
  client: Pick<ChainReader, "call" | "getCode">;
  recovery: Recovery;
  /** Gives receipts the operator's signature. */
  receipts: ReceiptSigner;
  /** Whether the operator's bond stands behind what it owes the payees of cleared channels. */
  isBonded: () => Promise<boolean>;
  chainId: number;
  addresses: { batchSettlement: Address; depositCollector: Address; clearing: Address; usdc: Address };
  policy: BatchPolicy;
  queue: GroupCommitLimits;
  /** Told of what was accepted, for the live stream and the metrics. */
  onAccepted: (count: number, value: bigint) => void;
}

/** Chains that an agent's software may have been set to by mistake: Ethereum, Base, Arc and their test networks, local. */
const commonChainIds = [1, 8453, 5042, 11_155_111, 84_532, 5_042_002, 1337, 31_337];
/** PostgreSQL's unique_violation. */
const uniqueViolation = "23505";
/** A refused voucher costs at most this many further recoveries. */
const mistakenChannelsMax = 16;

/** Who signs a channel's vouchers: fixed for good by the channel's id, so it is looked up once. */
interface Signer {
  readonly address: Address;
  /** Why this service could not turn the channel's vouchers into money; null when it can. */
  readonly obstacle: string | null;
  /** The terms of a channel without a key of its own, whose payer may be a contract; see `payerSignature.ts`. */
  readonly ownTerms: ChannelConfig | null;
  /** Learnt from the first good voucher: comparing keys spares hashing them. */
  publicKey: Uint8Array | null;
}

type Signers = Map<string, Signer>;

/** A payment that is well-formed and names a known channel; whether the payer signed it is not known yet. */
interface Claimed {
  readonly payment: PaymentRequest;
  readonly signer: Signer;
  readonly digest: Uint8Array;
  /** r, s, recovery id. */
  readonly signature: Uint8Array;
}

/** Channels, vouchers and batches: signatures are checked here, everything else is decided and booked in the store. */
export function openMicropayments(options: MicropaymentOptions): Micropayments {
  const { sql, clock, view, sender, recovery, chainId, addresses, policy } = options;
  const network = `eip155:${chainId}`;
  const hasher = voucherHasher(chainId, addresses.batchSettlement);
  const signers: Signers = new Map();
  const payers = new PayerSignatures({
    ...options,
    hasher,
    settlement: addresses.batchSettlement,
    operator: sender.sender,
    booked: (payments) => bookedVouchers(sql, currentEpoch(view), payments),
  });
  const otherHashers = commonChainIds
    .filter((other) => other !== chainId)
    .map((other) => ({ chainId: other, hasher: voucherHasher(other, addresses.batchSettlement) }));
  const books = new Books();
  const queue = new GroupCommit<VerifiedPayment, PaymentOutcome>(
    async (payments) => signed(await book(payments)),
    options.queue,
  );

  /** Makes payments durable. Keys are taken for new ones first; if one is not, nothing has happened and all are looked for. */
  async function book(payments: readonly VerifiedPayment[], areKeysSought = false): Promise<BookedPayment[]> {
    const booking = { epochId: currentEpoch(view), policy, now: clock.now(), books, areKeysSought };
    try {
      const outcomes = await (sql.begin((tx) => bookPayments(tx, payments, booking)) as Promise<
        BookedPayment[]
      >);
      tellAccepted(outcomes);
      return outcomes;
    } catch (error) {
      books.clear();
      if (areKeysSought || (error as { code?: unknown }).code !== uniqueViolation) throw error;
    }
    return book(payments, true);
  }

  function tellAccepted(outcomes: readonly BookedPayment[]): void {
    let [count, value] = [0, 0n];
    for (const outcome of outcomes) {
      if (!outcome.ok || outcome.replayed) continue;
      count += 1;
      value += outcome.amount;
    }
    if (count > 0) options.onAccepted(count, value);
  }

  /** What was just made durable, with the operator's signature. */
  async function signed(outcomes: readonly BookedPayment[]): Promise<PaymentOutcome[]> {
    const unsigned = outcomes.flatMap((outcome) => (outcome.ok ? outcome.receipt : []));
    if (unsigned.length === 0) return outcomes.filter((outcome) => !outcome.ok);
    const { receipts, signed } = await options.receipts.sign(unsigned);
    let leaf = -1;
    return outcomes.map((outcome) => {
      if (!outcome.ok) return outcome;
      leaf += 1;
      return {
        ok: true,
        receipt: receipts[leaf] ?? outcome.receipt,
        replayed: outcome.replayed,
        signed,
        leaf,
      };
    });
  }

  async function pay(
    payments: readonly PaymentRequest[],
    submitter: Address | null,
  ): Promise<PaymentOutcome[]> {
    await learnSigners(sql, currentEpoch(view), payments, signers, sender.sender);
    const signedByPayer = await askPayers(payments, submitter);
    const claims = payments.map((payment) => signedByPayer.get(payment) ?? readClaim(payment));
    const asked = claims.filter((claim): claim is Claimed => "digest" in claim);
    const keys = (await recovery.recover(asked)).values();
    const verified = claims.map((claim) =>
      "digest" in claim ? verify(claim, keys.next().value as Uint8Array, submitter) : claim,
    );
    const good = verified.filter((payment): payment is VerifiedPayment => !(payment instanceof BursarError));
    const booked = (await queue.submit(good)).values();
    const outcomes = verified.map((payment): PaymentOutcome => {
      if (payment instanceof BursarError) return { ok: false, error: payment };
      return booked.next().value as PaymentOutcome;
    });
    return outcomes;
  }

  /** What became of the vouchers whose channels have no key of their own; nothing is asked when there are none. */
  async function askPayers(
    payments: readonly PaymentRequest[],
    submitter: Address | null,
  ): Promise<Map<PaymentRequest, VerifiedPayment | BursarError>> {
    const questions = payments.flatMap((payment) => {
      const terms = signers.get(payment.channelId)?.ownTerms;
      return terms && payment.network === network ? [{ payment, terms }] : [];
    });
    const answers = questions.length > 0 ? await payers.check(questions) : [];
    return new Map(
      questions.map(({ payment }, at) => {
        const answer = answers[at] as Uint8Array | BursarError;
        return [
          payment,
          answer instanceof BursarError ? answer : verifiedPayment(payment, answer, submitter),
        ];
      }),
    );
  }

  function readClaim(payment: PaymentRequest): Claimed | BursarError {
    const { channelId } = payment;
    if (payment.network !== network)
      return new BursarError(
        "NETWORK_MISMATCH",
        `this service settles on ${network}, not ${payment.network}`,
        {
          facts: { got: payment.network, wanted: network },
          fields: [{ field: "network", message: `must be ${network}`, value: payment.network }],
        },
      );
    const signer = signers.get(channelId);
    if (!signer)
      return new BursarError(
        "CHANNEL_UNKNOWN",
        `no channel ${channelId} is known here; open it with a deposit first`,
        {
          facts: { channelId },
        },
      );
    if (signer.obstacle !== null)
      return new BursarError("CHANNEL_MISMATCH", `this service cannot claim from it: ${signer.obstacle}`, {
        facts: { channelId },
      });
    const signature = parseSignature(payment.signature);
    if (!signature) return forged(payment, signer.address, null);
    return {
      payment,
      signer,
      signature,
      digest: hasher.voucherDigest(channelId, payment.maxClaimableAmount),
    };
  }

  function verify(
    { payment, signer, signature }: Claimed,
    publicKey: Uint8Array,
    submitter: Address | null,
  ): VerifiedPayment | BursarError {
    if (signer.publicKey === null || Buffer.compare(publicKey, signer.publicKey) !== 0) {
      const recovered = addressOfKey(publicKey);
      if (recovered !== signer.address)
        return mistaken(payment, signer.address) ?? forged(payment, signer.address, recovered);
      signer.publicKey = publicKey.slice();
    }
    return verifiedPayment(payment, compactSignature(signature), submitter);
  }

  function verifiedPayment(
    payment: PaymentRequest,
    signature: Uint8Array,
    submitter: Address | null,
  ): VerifiedPayment {
    return {
      channelId: payment.channelId,
      key: payment.key,
      maxClaimableAmount: payment.maxClaimableAmount,
      signature,
      amount: payment.amount === undefined ? undefined : parseAmount(payment.amount, channelUnit),
      payee: payment.payee,
      ticketId: payment.ticketId,
      reference: payment.reference,
      submitter,
    };
  }

  /** Whether the payer did sign this amount, but for another chain or another of its channels: an honest mistake says so. */
  function mistaken(payment: PaymentRequest, signer: Address): BursarError | null {
    const { channelId, maxClaimableAmount, signature } = payment;
    const fits = (digest: Uint8Array) => recoverAddress(hexOf(digest), signature) === signer;
    const otherChain = otherHashers.find(({ hasher: other }) =>
      fits(other.voucherDigest(channelId, maxClaimableAmount)),
    );
    if (otherChain)
      return new BursarError(
        "NETWORK_MISMATCH",
        `the voucher is signed for chain ${otherChain.chainId}, not ${chainId}`,
        {
          facts: { got: `eip155:${otherChain.chainId}`, wanted: `eip155:${chainId}`, channelId },
          fields: [{ field: "signature", message: `must be signed for chain ${chainId}`, value: signature }],
        },
      );
    const others = [...signers]
      .filter(([id, other]) => other.address === signer && id !== channelId)
      .slice(0, mistakenChannelsMax);
    const otherChannel = others.find(([id]) =>
      fits(hasher.voucherDigest(id as Hex, maxClaimableAmount)),
    )?.[0];
    if (!otherChannel) return null;
    return new BursarError("CHANNEL_MISMATCH", `the voucher is signed for channel ${otherChannel}`, {
      facts: { channelId, signedFor: otherChannel },
      fields: [
        {
          field: "channelId",
          message: "must be the channel that the voucher is signed for",
          value: channelId,
        },
      ],
    });
  }

  async function openChannel(config: ChannelConfig, deposit: DepositAuthorization) {
    assertConfig(config, addresses.usdc, sender.sender);
    const isCleared = config.receiver.toLowerCase() === addresses.clearing.toLowerCase();
    await assertAgents(sql, isCleared ? [config.payer] : [config.payer, config.receiver]);
    if (isCleared && !(await options.isBonded()))
      throw new BursarError("CLEARING_UNBONDED", "no bond stands behind this operator's word to payees", {
        facts: { operator: sender.sender, clearing: addresses.clearing },
      });
    const channelId = hasher.channelId(config);
    const epochId = currentEpoch(view);
    const data = encodeFunctionData({
      abi: batchSettlementAbi,
      functionName: "deposit",
      args: [config, deposit.amount, addresses.depositCollector, collectorData(deposit)],
    });
    // A deposit that cannot work is refused here, with the contract's own reason, before anything is stored.
    const key = `deposit:${channelId}:${deposit.salt}`;
    const [sent] = await sql`
      SELECT id FROM chain_transaction WHERE epoch_id = ${epochId} AND sender = ${bytesOf(sender.sender)} AND key = ${key}`;
    if (!sent) await sender.simulate({ to: addresses.batchSettlement, data });
    const channel = await sql.begin(async (tx) => {
      const transactionId = await enqueueTransaction(
        tx,
        { chainId, address: sender.sender },
        { key, to: addresses.batchSettlement, data, purpose: "channel.deposit" },
        clock.now(),
      );
      return saveChannel(tx, { epochId, channelId, config, isCleared, now: clock.now(), transactionId });
    });
    return channelView(channel);
  }

  async function receipts(rows: readonly PaymentRow[]) {
    const facts = await ticketFacts(
      sql,
      rows.flatMap(({ ticket_id }) => ticket_id ?? []),
    );
    return rows.map((row) => rowReceipt(row, facts.get(row.ticket_id ?? "") ?? null));
  }

  return {
    openChannel,
    pay,
    async channel(channelId) {
      const [channel] = await findChannels(sql, currentEpoch(view), [channelId]);
      return channel ? channelView(channel) : null;
    },
    async channels({ payer, receiver, cursor, limit }) {
      const rows = await listChannels(sql, { payer, receiver, before: cursorOf(cursor), limit });
      return { items: rows.map(channelView), next: nextOf(rows, limit) };
    },
    async receipt(paymentId) {
      const id = cursorOf(paymentId);
      const row = id === undefined ? null : await paymentById(sql, id);
      if (!row) return null;
      const {
        receipts: [receipt],
        signed,
      } = await options.receipts.sign(await receipts([row]));
      return receipt ? provenReceipt({ ok: true, receipt, replayed: true, signed, leaf: 0 }) : null;
    },
    async payments({ payer, payee, batchId, cursor, limit }) {
      const rows = await listPaymentRows(sql, {
        payer,
        payee,
        batchId: batchId === undefined ? undefined : (cursorOf(batchId) ?? -1n),
        before: cursorOf(cursor),
        limit,
      });
      return { items: await receipts(rows), next: nextOf(rows, limit) };
    },
    async batch(batchId) {
      const id = cursorOf(batchId);
      return id === undefined ? null : batchById(sql, id);
    },
    async batches({ cursor, limit }) {
      const items = await listBatches(sql, cursorOf(cursor), limit);
      return { items, next: items.length === limit ? (items.at(-1)?.batchId ?? null) : null };
    },
    async flush() {
      const batchId = await forceBatches(sql, currentEpoch(view), clock.now());
      return { batchId: batchId?.toString() ?? null };
    },
  };
}

function currentEpoch(view: ChainView): bigint {
  const { epoch, chainId } = view.status();
  if (epoch === 0n)
    throw new BursarError("CHAIN_UNAVAILABLE", `chain ${chainId} has not been met yet`, {
      facts: { chainId },
    });
  return epoch;
}

async function learnSigners(
  sql: Sql,
  epochId: bigint,
  payments: readonly PaymentRequest[],
  signers: Signers,
  operator: Address,
): Promise<void> {
  const unknown = [...new Set(payments.map(({ channelId }) => channelId))].filter((id) => !signers.has(id));
  if (unknown.length === 0) return;
  for (const { channelId, config } of await findChannels(sql, epochId, unknown)) {
    const isOwn = config.payerAuthorizer === zeroAddress;
    signers.set(channelId, {
      address: isOwn ? config.payer : config.payerAuthorizer,
      obstacle: obstacleOf(config, operator),
      ownTerms: isOwn ? config : null,
      publicKey: null,
    });
  }
}

/** Anybody may open a channel on the chain as he likes; only one that the operator can claim from is paid through here. */
const obstacleOf = ({ receiverAuthorizer }: ChannelConfig, operator: Address): string | null =>
  receiverAuthorizer.toLowerCase() === operator.toLowerCase()
    ? null
    : `its receiver authorizer is ${receiverAuthorizer}, not the operator ${operator}`;

function forged(payment: PaymentRequest, signer: Address, recovered: Address | null): BursarError {
  return new BursarError(
    "VOUCHER_FORGED",
    `the voucher is not signed by ${signer} for this channel, amount and chain`,
    {
      facts: { channelId: payment.channelId, signer, recovered },
      fields: [
        {
          field: "signature",
          message: "must be the payer authorizer's EIP-712 signature of this voucher",
          value: payment.signature,
        },
      ],
    },
  );
}

function assertConfig(config: ChannelConfig, usdc: Address, operator: Address): void {
  const rule = (field: string, wanted: Address, message: string, value: string) => {
    if (value.toLowerCase() !== wanted.toLowerCase())
      throw new BursarError("VALIDATION_INVALID_INPUT", `config.${field} ${message}`, {
        facts: { field: `config.${field}`, got: value, wanted },
        fields: [{ field: `config.${field}`, message, value }],
      });
  };
  rule("token", usdc, "must be the USDC that this service settles", config.token);
  rule(
    "receiverAuthorizer",
    operator,
    "must be this service's operator, who claims for the payee",
    config.receiverAuthorizer,
  );
}

async function assertAgents(sql: Sql, addresses: readonly Address[]): Promise<void> {
  const known = await knownAgents(sql, addresses);
  for (const address of addresses) {
    const suspended = known.get(address.toLowerCase());
    if (suspended === undefined)
      throw new BursarError("AGENT_UNKNOWN", `no agent ${address} is registered here`, {
        facts: { address },
      });
    if (suspended)
      throw new BursarError("AGENT_SUSPENDED", `agent ${address} is suspended`, { facts: { address } });
  }
}

/** What the ERC-3009 collector unpacks: (validAfter, validBefore, salt, signature). */
const collectorData = ({ validAfter, validBefore, salt, signature }: DepositAuthorization): Hex =>
  encodeAbiParameters(
    [{ type: "uint256" }, { type: "uint256" }, { type: "uint256" }, { type: "bytes" }],
    [validAfter, validBefore, salt, signature],
  );

const cursorOf = (cursor: string | undefined): bigint | undefined =>
  cursor !== undefined && /^\d{1,18}$/.test(cursor) ? BigInt(cursor) : undefined;

const nextOf = (rows: readonly { id: bigint }[], limit: number): string | null =>
  rows.length === limit ? (rows.at(-1)?.id.toString() ?? null) : null;

import { type Address, zeroAddress } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import { parseAmount, type UnitCode } from "#offchain/core/unit.ts";
import type { ChainReader } from "#offchain/platform/chain/client/client.ts";
import type { ChainView } from "#offchain/platform/chain/port.ts";
import type { Recovery } from "#offchain/platform/chain/signatures/recovery.ts";
import { addressOfKey, parseSignature } from "#offchain/platform/chain/signatures/secp256k1.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { channelUnknown } from "../rules/admission.ts";
import type { VerifiedPayment } from "../rules/group.ts";
import type { ChannelConfig, PaymentRequest } from "../service.ts";
import { type ChannelRow, findChannels } from "../store/channels.ts";
import { paymentsLike } from "../store/receipts.ts";
import { MistakenVouchers, otherChannelsMax } from "./mistaken.ts";
import {
  type CodeQuestions,
  type PayerQuestion,
  type PayerSignatureOptions,
  PayerSignatures,
  type Standing,
} from "./payerSignature.ts";
import { RecentMap } from "./recentMap.ts";
import { compactSignature, type VoucherHasher, voucherHasher } from "./voucherHash.ts";

export interface VerificationOptions {
  sql: Sql;
  clock: Clock;
  view: ChainView;
  /** Asked only about payers that sign for themselves. */
  client: Pick<ChainReader, "getCode">;
  /** Runs the code of those that have some. */
  untrustedCode: PayerSignatureOptions["untrustedCode"];
  recovery: Recovery;
  chainId: number;
  /** The BatchSettlement contract. */
  settlement: Address;
  /** Who claims. */
  operator: Address;
  /** Forged vouchers of one request after which the rest of it is not looked at. */
  forgedMax: number;
}

/** Who signs a channel's vouchers: fixed for good by the channel's id, so it is looked up once. */
interface Signer {
  readonly address: Address;
  readonly unit: UnitCode;
  /** Why this service could not turn the channel's vouchers into money; null when it can. */
  readonly obstacle: string | null;
  /** The terms of a channel without a key of its own, whose payer may be a contract; see `payerSignature.ts`. */
  readonly ownTerms: ChannelConfig | null;
  /** Learnt from the first good voucher: comparing keys spares hashing them. */
  publicKey: Uint8Array | null;
}

/** A payment that is well-formed and names a known channel; whether the payer signed it is not known yet. */
interface UncheckedVoucher {
  readonly payment: PaymentRequest;
  readonly signer: Signer;
  readonly digest: Uint8Array;
  /** r, s, recovery id. */
  readonly signature: Uint8Array;
}

/** What was found of one request so far. */
interface Tally {
  forged: number;
  /** How many more of them are told what is wrong with them. */
  explainable: number;
  /** Vouchers that their payers' code was asked about. */
  readonly asked: CodeQuestions;
}

/** Vouchers of one request that are told more than that they are forged; each costs some 25 recoveries. */
const explainedMax = 4;
/** Vouchers of one request that are looked at together: a request full of forgeries is known by its first ones. */
const slice = 128;
/** Of those, vouchers about which the chain may have to be asked. */
const payersAtOnce = 32;
/** One more than are tried, for the one that is named. */
const channelsKept = otherChannelsMax + 1;

/** Far more than the payments that are verified at once: none of them loses its signer meanwhile. */
const signersKept = 50_000;

/** Whether payers signed what they are said to promise. Decides nothing else. */
export class VoucherVerification {
  readonly #options: VerificationOptions;
  readonly #network: string;
  readonly #hasher: VoucherHasher;
  readonly #mistaken: MistakenVouchers;
  readonly #payers: PayerSignatures;
  readonly #signers = new RecentMap<string, Signer>(signersKept);
  /** The newest channels of each signer. */
  readonly #channels = new RecentMap<string, { readonly ids: readonly string[] }>(signersKept);

  constructor(options: VerificationOptions) {
    const { chainId, settlement, sql, view } = options;
    this.#options = options;
    this.#network = `eip155:${chainId}`;
    this.#hasher = voucherHasher(chainId, settlement);
    this.#mistaken = new MistakenVouchers(chainId, settlement, this.#hasher, options.recovery);
    this.#payers = new PayerSignatures({
      ...options,
      hasher: this.#hasher,
      standing: (payments) => standing(sql, view.runNow(), payments),
    });
  }

  /**
   * For each payment what is ready to be booked, or why its voucher is refused; in order. After some forged ones the rest
   * is not looked at, and told so: it may be sent again without them.
   */
  async verify(
    payments: readonly PaymentRequest[],
    submitter: Address | null,
  ): Promise<(VerifiedPayment | BursarError)[]> {
    await this.#learnSigners(payments);
    const answers: (VerifiedPayment | BursarError)[] = [];
    const tally: Tally = { forged: 0, explainable: explainedMax, asked: { count: 0 } };
    while (answers.length < payments.length) {
      if (tally.forged >= this.#options.forgedMax)
        return answers.concat(Array(payments.length - answers.length).fill(unchecked(tally.forged)));
      const some = payments.slice(answers.length, answers.length + slice);
      answers.push(...(await this.#verifySome(some, submitter, tally)));
    }
    return answers;
  }

  async #verifySome(
    payments: readonly PaymentRequest[],
    submitter: Address | null,
    tally: Tally,
  ): Promise<(VerifiedPayment | BursarError)[]> {
    const signedByPayer = await this.#askPayers(payments, submitter, tally);
    const vouchers = payments.map((payment) => signedByPayer.get(payment) ?? this.#readVoucher(payment));
    const asked = vouchers.filter((voucher): voucher is UncheckedVoucher => "digest" in voucher);
    const keys = (await this.#options.recovery.recover(asked)).values();
    return Promise.all(
      vouchers.map((voucher) => {
        if (!("digest" in voucher)) return voucher;
        const recovered = this.#recovered(voucher, keys.next().value as Uint8Array);
        if (recovered === voucher.signer.address) return verifiedVoucher(voucher, submitter);
        tally.forged += 1;
        tally.explainable -= 1;
        return tally.explainable < 0
          ? forged(voucher.payment, voucher.signer.address, recovered)
          : this.#explained(voucher, recovered);
      }),
    );
  }

  async #learnSigners(payments: readonly PaymentRequest[]): Promise<void> {
    const { sql, view, operator } = this.#options;
    const runId = view.runNow();
    const signers = this.#signers;
    const unknown = [...new Set(payments.map(({ channelId }) => channelId))].filter((id) => !signers.has(id));
    if (unknown.length === 0) return;
    for (const { channelId, config, unit, isCleared } of await findChannels(sql, runId, unknown)) {
      const isOwn = config.payerAuthorizer === zeroAddress;
      this.#learn(channelId, {
        address: isOwn ? config.payer : config.payerAuthorizer,
        unit,
        obstacle: obstacleOf({ ...config, isCleared }, operator),
        ownTerms: isOwn ? config : null,
        publicKey: null,
      });
    }
  }

  /** What became of the vouchers whose channels have no key of their own; nothing is asked when there are none. */
  async #askPayers(
    payments: readonly PaymentRequest[],
    submitter: Address | null,
    tally: Tally,
  ): Promise<Map<PaymentRequest, VerifiedPayment | BursarError>> {
    const settled = new Map<PaymentRequest, VerifiedPayment | BursarError>();
    const questions: PayerQuestion[] = [];
    for (const payment of payments) {
      const signer = this.#signers.get(payment.channelId);
      const terms = signer?.ownTerms;
      if (!terms || signer.obstacle !== null || payment.network !== this.#network) continue;
      const amount = amountOf(payment.amount, signer.unit);
      if (amount instanceof BursarError) settled.set(payment, amount);
      else questions.push({ payment, amount, terms });
    }
    for (let at = 0; at < questions.length; at += payersAtOnce) {
      const some = questions.slice(at, at + payersAtOnce);
      const isEnough = tally.forged >= this.#options.forgedMax;
      const found = isEnough
        ? some.map(() => unchecked(tally.forged))
        : await this.#payers.check(some, tally.asked);
      tally.forged += isEnough ? 0 : found.filter(isForged).length;
      for (const [index, { payment, amount }] of some.entries()) {
        const answer = found[index] as Uint8Array | BursarError;
        settled.set(
          payment,
          answer instanceof BursarError ? answer : verifiedPayment(payment, amount, answer, submitter),
        );
      }
    }
    return settled;
  }

  #readVoucher(payment: PaymentRequest): UncheckedVoucher | BursarError {
    const { channelId } = payment;
    if (payment.network !== this.#network) return otherNetwork(payment.network, this.#network);
    const signer = this.#signers.get(channelId);
    if (!signer) return channelUnknown(channelId);
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
      digest: this.#hasher.voucherDigest(channelId, payment.maxClaimableAmount),
    };
  }

  /** Who signed; null when nobody can have. */
  #recovered({ signer }: UncheckedVoucher, publicKey: Uint8Array): Address | null {
    if (signer.publicKey !== null && Buffer.compare(publicKey, signer.publicKey) === 0) return signer.address;
    const recovered = addressOfKey(publicKey);
    if (recovered === signer.address) signer.publicKey = publicKey.slice();
    return recovered;
  }

  async #explained({ payment, signer }: UncheckedVoucher, recovered: Address | null): Promise<BursarError> {
    const channels = this.#channels.get(signer.address)?.ids ?? [];
    const mistake = await this.#mistaken.explain(payment, signer.address, channels);
    return mistake ?? forged(payment, signer.address, recovered);
  }

  #learn(channelId: string, signer: Signer): void {
    this.#signers.set(channelId, signer);
    const { address } = signer;
    const ids = this.#channels.get(address)?.ids ?? [];
    this.#channels.set(address, {
      ids: [channelId, ...ids.filter((id) => id !== channelId)].slice(0, channelsKept),
    });
  }
}

/** What the channels of these payments hold and have accepted, and what was booked like them. */
async function standing(sql: Sql, runId: bigint, payments: readonly PaymentRequest[]): Promise<Standing> {
  const rows = await findChannels(sql, runId, [...new Set(payments.map(({ channelId }) => channelId))]);
  const channels = new Map<string, ChannelRow>(rows.map((row) => [row.channelId, row]));
  const wanted = payments.flatMap(({ channelId, key, maxClaimableAmount: cumulative }) => {
    const channel = channels.get(channelId);
    return channel ? [{ channel: channel.id, key, cumulative }] : [];
  });
  return { channels, earlier: wanted.length === 0 ? [] : await paymentsLike(sql, wanted) };
}

/** The payment, ready to be booked, or why its amount is not valid in the unit: each payment of a request is refused alone. */
function verifiedVoucher(
  { payment, signer, signature }: UncheckedVoucher,
  submitter: Address | null,
): VerifiedPayment | BursarError {
  const amount = amountOf(payment.amount, signer.unit);
  if (amount instanceof BursarError) return amount;
  return verifiedPayment(payment, amount, compactSignature(signature), submitter);
}

/** The payment, ready to be booked. */
const verifiedPayment = (
  payment: PaymentRequest,
  amount: bigint | undefined,
  signature: Uint8Array,
  submitter: Address | null,
): VerifiedPayment => ({
  channelId: payment.channelId,
  key: payment.key,
  maxClaimableAmount: payment.maxClaimableAmount,
  signature,
  amount,
  payee: payment.payee,
  ticketId: payment.ticketId,
  reference: payment.reference,
  submitter,
});

function amountOf(text: string | undefined, unit: UnitCode): bigint | undefined | BursarError {
  try {
    return text === undefined ? undefined : parseAmount(text, unit);
  } catch (error) {
    if (error instanceof BursarError) return error;
    throw error;
  }
}

/** Anybody may open a channel on the chain with any terms; payments are taken only from those that can be claimed. */
function obstacleOf(
  { receiver, receiverAuthorizer, payerAuthorizer, isCleared }: ChannelConfig & { isCleared: boolean },
  operator: Address,
): string | null {
  // No operator has a power over Clearing's channels that its successor would not have, and none after it.
  const wanted = isCleared ? receiver : operator;
  if (receiverAuthorizer.toLowerCase() !== wanted.toLowerCase())
    return `its receiver authorizer is ${receiverAuthorizer}, not ${isCleared ? "Clearing" : "the operator"} ${wanted}`;
  // The payer's account could take back what the operator owes the payee for.
  if (isCleared && payerAuthorizer === zeroAddress)
    return "it is cleared, and no key of its own signs its vouchers";
  return null;
}

const isForged = (answer: unknown): boolean =>
  answer instanceof BursarError && answer.code === "VOUCHER_FORGED";

const otherNetwork = (got: string, wanted: string) =>
  new BursarError("NETWORK_MISMATCH", `this service settles on ${wanted}, not ${got}`, {
    facts: { got, wanted },
    fields: [{ field: "network", message: `must be ${wanted}`, value: got }],
  });

const unchecked = (forgedCount: number) =>
  new BursarError(
    "VOUCHER_UNCHECKED",
    `${forgedCount} vouchers before this one are forged, so it was not looked at; send it again without them`,
    { facts: { forged: forgedCount } },
  );

const forged = (payment: PaymentRequest, signer: Address, recovered: Address | null) =>
  new BursarError(
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

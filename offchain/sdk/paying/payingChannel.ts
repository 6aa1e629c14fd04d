import { BursarError, invalidField } from "#offchain/core/error.ts";
import { formatAmount, parseAmount, type UnitCode } from "#offchain/core/unit.ts";
import type { Client } from "../client.ts";
import { isRefusal, type RetryOptions, untilAnswered } from "../http/retry.ts";
import { assertSame } from "../http/same.ts";
import { assertAddresses } from "./address.ts";
import { type Signer, signVoucher, voucherIsBy } from "./channel.ts";

type PaymentBody = Parameters<Client["payments"]["pay"]>[0];
export type Receipt = Awaited<ReturnType<Client["payments"]["pay"]>>;

/** What a payer must not forget of a channel. Base units as decimal strings. */
export interface ChannelState {
  /** Signed over by all payments before `last`. */
  cumulative: string;
  /** The newest payment that was signed, whether or not it was answered. */
  last: PaymentBody | null;
  /** Sums above `cumulative` that were signed for and refused. A service that kept such a voucher proves nothing by it. */
  refused?: readonly string[];
}

export interface Payment {
  /** Idempotency key: the same key again is the same payment. */
  key: string;
  /** Written amount in the channel's currency, e.g. "0.0004". */
  amount: string;
  /** Whom a cleared channel pays. */
  payee?: `0x${string}`;
  ticketId?: string;
  reference?: string;
}

export interface PayingChannelOptions {
  client: Pick<Client, "payments" | "channels">;
  signer: Signer;
  chainId: number;
  channelId: `0x${string}`;
  /** What the channel is in; USDC by default. */
  unit?: UnitCode;
  state: ChannelState | null;
  /** Whether Clearing receives it: each payment then names the agent whom it pays. */
  isCleared?: boolean;
  /** Must be durable when it resolves: it is called before a voucher leaves. */
  save: (state: ChannelState) => Promise<void>;
  retry?: RetryOptions;
}

/** How often a voucher is signed anew because others were accepted meanwhile. */
const overtakenMax = 3;

/**
 * The payer's side of one channel: one payment at a time, each voucher remembered before it is sent, the same one sent
 * until it is answered. So an agent that dies at any moment never promises two payments with one cumulative amount.
 */
export class PayingChannel {
  readonly channelId: `0x${string}`;
  readonly unit: UnitCode;
  readonly #options: PayingChannelOptions;
  #state: ChannelState;
  /** Whether the service has answered the last payment. */
  #isAnswered: boolean;
  #line: Promise<unknown> = Promise.resolve();

  constructor(options: PayingChannelOptions) {
    this.#options = options;
    this.channelId = options.channelId;
    this.unit = options.unit ?? "USDC";
    this.#state = options.state ?? { cumulative: "0", last: null };
    this.#isAnswered = this.#state.last === null;
  }

  /** The key of the newest payment that was signed; tells after a restart how far the agent had come. */
  get lastKey(): string | null {
    return this.#state.last?.key ?? null;
  }

  /**
   * Pays, after every earlier payment of this channel.
   * @throws BursarError as the service refused it; the last error when the retry deadline has passed: the payment is then
   * open, and is sent again before the next one, or by another call with the same key. IDEMPOTENCY_CONFLICT, before
   * anything is sent, for other facts under the newest key. VOUCHER_STALE when somebody else pays from this channel, and
   * the service cannot prove by a voucher of this payer how much.
   */
  pay(payment: Payment): Promise<Receipt> {
    const turn = this.#line.then(() => this.#pay(payment));
    this.#line = turn.catch(() => {});
    return turn;
  }

  async #pay(payment: Payment): Promise<Receipt> {
    assertAddresses({ payee: payment.payee });
    if (this.#options.isCleared && payment.payee === undefined)
      throw invalidField("payee", "must be the agent that a payment by a cleared channel is for");
    const { last } = this.#state;
    if (last?.key === payment.key) {
      const { key, payee, ticketId, reference } = payment;
      const written = (amount: string) => formatAmount(parseAmount(amount, this.unit), this.unit);
      const known = { ...last, ...(last.amount && { amount: written(last.amount) }) };
      assertSame(key, known, { amount: written(payment.amount), payee, ticketId, reference });
      return this.#deliver(last);
    }
    if (last && !this.#isAnswered) await this.#deliver(last).catch(unlessRefused);
    return this.#deliver(await this.#sign(payment, this.#promised()));
  }

  /** The sum that the payee may have by everything signed and not refused. */
  #promised(): bigint {
    const { cumulative, last } = this.#state;
    return BigInt(last ? last.maxClaimableAmount : cumulative);
  }

  async #sign({ amount, ...payment }: Payment, base: bigint): Promise<PaymentBody> {
    const { signer, chainId } = this.#options;
    const maxClaimableAmount = base + parseAmount(amount, this.unit);
    const voucher = { channelId: this.channelId, maxClaimableAmount };
    const last: PaymentBody = {
      ...payment,
      channelId: this.channelId,
      network: `eip155:${chainId}`,
      maxClaimableAmount: maxClaimableAmount.toString(),
      amount,
      signature: await signVoucher(signer, chainId, voucher),
    };
    await this.#keep({ cumulative: base.toString(), last, refused: this.#refused() });
    return last;
  }

  async #keep({ refused = [], ...state }: ChannelState): Promise<void> {
    const above = refused.filter((sum) => BigInt(sum) > BigInt(state.cumulative));
    await this.#options.save({ ...state, ...(above.length > 0 && { refused: above }) });
    this.#state = { ...state, refused: above };
    this.#isAnswered = state.last === null;
  }

  /** Sends the payment until it is answered. One that others overtook is signed anew upon what the service has accepted. */
  async #deliver(payment: PaymentBody): Promise<Receipt> {
    const { client, retry } = this.#options;
    let body = payment;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const receipt = await untilAnswered(
          () => client.payments.pay(body, { isSigned: body.payee !== undefined }),
          retry,
        );
        this.#isAnswered = true;
        return receipt;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        const accepted =
          isOvertaken(error) && attempt < overtakenMax
            ? await this.#proved(error).catch(this.#dropped)
            : null;
        if (accepted === null) return this.#dropped(error);
        body = await this.#resign(body, accepted);
      }
    }
  }

  /** The payment is over: its key and its amount are free. */
  #dropped = async (error: unknown): Promise<never> => {
    const { cumulative } = this.#state;
    if (isRefusal(error)) await this.#keep({ cumulative, last: null, refused: this.#refused() });
    throw error;
  };

  /** As if the newest payment were refused. */
  #refused(): string[] {
    const { last, refused = [] } = this.#state;
    return [
      ...new Set([...refused, ...(last && !this.#isAnswered ? [String(last.maxClaimableAmount)] : [])]),
    ];
  }

  /**
   * Learns what was promised on this channel before this process began, by another or by one that lost its memory.
   * @throws BursarError VOUCHER_STALE when the service cannot prove it
   */
  async takeUp(): Promise<void> {
    const cumulative = await this.#proved();
    await this.#keep({ cumulative: cumulative.toString(), last: null });
  }

  /**
   * What the service has accepted of this channel, base units; the next voucher promises that and its own amount. The
   * service's bare word could have the payer sign away its whole deposit, so a sum above what this process knows of must
   * be shown in a voucher by this payer's key; and not in one that this process signed and the service refused, for by
   * refusing each voucher and showing it as accepted it would be promised every payment again. Two processes that pay the
   * same amounts from one channel therefore end in an error: a channel is for one process.
   */
  async #proved(cause?: unknown): Promise<bigint> {
    const { client, retry, signer, chainId } = this.#options;
    const { channelId } = this;
    const { accepted, voucherSignature } = await untilAnswered(
      () => client.channels.show({ channelId }, { isSigned: true }),
      retry,
    );
    const amount = parseAmount(accepted.amount, this.unit);
    const own = BigInt(this.#state.cumulative);
    if (amount <= own) return amount;
    const voucher = { channelId, maxClaimableAmount: amount };
    const isOthers = !this.#refused().includes(amount.toString());
    if (isOthers && (await voucherIsBy(signer.address, chainId, voucher, voucherSignature))) return amount;
    throw new BursarError(
      "VOUCHER_STALE",
      `the service says that ${accepted.amount} ${this.unit} are promised on channel ${channelId}; this process knows of ${formatAmount(own, this.unit)}, and no voucher proves that another signed for the rest. If another process or folder pays from this channel, let one alone use it: open another channel with another label`,
      { facts: { channelId, accepted: amount, known: own }, cause },
    );
  }

  /** The same payment on top of what the service has accepted: others of this channel's vouchers came first. */
  #resign(
    { key, maxClaimableAmount, amount, payee, ticketId, reference }: PaymentBody,
    accepted: bigint,
  ): Promise<PaymentBody> {
    const added = BigInt(maxClaimableAmount) - BigInt(this.#state.cumulative);
    const payment = {
      key,
      amount: amount ?? formatAmount(added, this.unit),
      ...(payee && { payee: payee as `0x${string}` }),
      ...(ticketId && { ticketId }),
      ...(reference && { reference }),
    };
    return this.#sign(payment, accepted);
  }
}

/**
 * Whether others of this channel's vouchers came first: they promise as much, or exactly the same, or leave less for this
 * one to add. A chain that was started again has accepted less than the payer remembers, which shows as the last.
 */
const isOvertaken = (error: unknown): boolean =>
  error instanceof BursarError &&
  (error.code === "VOUCHER_STALE" ||
    error.code === "VOUCHER_REPLAYED" ||
    (error.code === "AMOUNT_INVALID" && error.facts.accepted !== undefined));

/** A refused earlier payment is over: its own caller was told, and it must not stop the next one. */
function unlessRefused(error: unknown): void {
  if (!isRefusal(error)) throw error;
}

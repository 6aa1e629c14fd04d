import { BursarError } from "#offchain/core/error.ts";
import { formatAmount, parseAmount, type UnitCode } from "#offchain/core/unit.ts";
import type { Client } from "../client.ts";
import { type RetryOptions, untilAnswered } from "../http/retry.ts";
import { type Signer, signVoucher } from "./channel.ts";

type PaymentBody = Parameters<Client["payments"]["pay"]>[0];
export type Receipt = Awaited<ReturnType<Client["payments"]["pay"]>>;

/** What a payer must not forget of a channel. Base units as decimal strings. */
export interface ChannelState {
  /** Signed over by all payments before `last`. */
  cumulative: string;
  /** The newest payment that was signed, whether or not it was answered. */
  last: PaymentBody | null;
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
  /** Must be durable when it resolves: it is called before a voucher leaves. */
  save: (state: ChannelState) => Promise<void>;
  retry?: RetryOptions;
}

/** How often a voucher is signed anew because others were accepted meanwhile. */
const staleMax = 3;

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
  #isSettled: boolean;
  #line: Promise<unknown> = Promise.resolve();

  constructor(options: PayingChannelOptions) {
    this.#options = options;
    this.channelId = options.channelId;
    this.unit = options.unit ?? "USDC";
    this.#state = options.state ?? { cumulative: "0", last: null };
    this.#isSettled = this.#state.last === null;
  }

  /** The key of the newest payment that was signed; tells after a restart how far the agent had come. */
  get lastKey(): string | null {
    return this.#state.last?.key ?? null;
  }

  /**
   * Pays, after every earlier payment of this channel.
   * @throws BursarError as the service refused it; the last error when the retry deadline has passed: the payment is then
   * open, and is sent again before the next one, or by another call with the same key.
   */
  pay(payment: Payment): Promise<Receipt> {
    const turn = this.#line.then(() => this.#pay(payment));
    this.#line = turn.catch(() => {});
    return turn;
  }

  async #pay(payment: Payment): Promise<Receipt> {
    const { last } = this.#state;
    if (last?.key === payment.key) return this.#deliver(last);
    if (last && !this.#isSettled) await this.#deliver(last).catch(unlessRefused);
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
    await this.#keep({ cumulative: base.toString(), last });
    return last;
  }

  async #keep(state: ChannelState): Promise<void> {
    await this.#options.save(state);
    this.#state = state;
    this.#isSettled = state.last === null;
  }

  /** Sends the payment until it is answered. A stale one is signed anew upon what the service has accepted. */
  async #deliver(payment: PaymentBody): Promise<Receipt> {
    const { client, retry } = this.#options;
    let body = payment;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const receipt = await untilAnswered(
          () => client.payments.pay(body, { isSigned: body.payee !== undefined }),
          retry,
        );
        this.#isSettled = true;
        return receipt;
      } catch (error) {
        if (!(error instanceof BursarError) || error.remedy === "retry" || error.remedy === "wait")
          throw error;
        if (error.code !== "VOUCHER_STALE" || attempt === staleMax) {
          await this.#keep({ cumulative: this.#state.cumulative, last: null });
          throw error;
        }
        body = await this.#resign(body);
      }
    }
  }

  /** The same payment on top of what the service has accepted: others of this channel's vouchers came first. */
  async #resign({
    key,
    maxClaimableAmount,
    amount,
    payee,
    ticketId,
    reference,
  }: PaymentBody): Promise<PaymentBody> {
    const { client, retry } = this.#options;
    const { accepted } = await untilAnswered(
      () => client.channels.show({ channelId: this.channelId }),
      retry,
    );
    const added = BigInt(maxClaimableAmount) - BigInt(this.#state.cumulative);
    const meant = amount ?? formatAmount(added, this.unit);
    const payment = {
      key,
      amount: meant,
      ...(payee && { payee: payee as `0x${string}` }),
      ...(ticketId && { ticketId }),
      ...(reference && { reference }),
    };
    return this.#sign(payment, parseAmount(accepted.amount, this.unit));
  }
}

/** A refused earlier payment is over: its own caller was told, and it must not stop the next one. */
function unlessRefused(error: unknown): void {
  if (error instanceof BursarError && error.remedy !== "retry" && error.remedy !== "wait") return;
  throw error;
}

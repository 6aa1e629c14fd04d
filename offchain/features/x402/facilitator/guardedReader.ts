import { type Address, size, zeroAddress } from "viem";
import { BursarError } from "#offchain/core/error.ts";
import type { ChainReader } from "#offchain/platform/chain/client/client.ts";
import type { UntrustedCode } from "#offchain/platform/chain/client/untrustedCode.ts";
import type { Payment } from "./payment.ts";

export interface GuardedReaderOptions {
  readonly client: ChainReader;
  readonly untrustedCode: UntrustedCode<ChainReader>;
  /** Most gas of a settlement. */
  readonly gasMax: bigint;
}

/** What reads of our own take at the most, whatever a settlement may cost. */
const ownReadsGasMax = 1_000_000n;

/**
 * What the official schemes ask of the chain about one payment. Accounts that are code say for themselves whether they
 * signed, and run in each simulation: with no more gas than the settlement may have, and where there are such, each
 * address asks in turn.
 */
export class GuardedReader {
  readonly #options: GuardedReaderOptions;
  readonly #payment: Payment;
  /** Its code is trusted. */
  readonly #operator: Address;
  #runsCode: Promise<boolean> | null = null;
  #fault: BursarError | null = null;

  /** @param options with the most gas of this payment's settlement */
  constructor(options: GuardedReaderOptions, payment: Payment, operator: Address) {
    this.#options = options;
    this.#payment = payment;
    this.#operator = operator;
  }

  /** Why something could not be asked: the official schemes take that for an answer. */
  get fault(): BursarError | null {
    return this.#fault;
  }

  async ask<T>(call: (reader: ChainReader) => Promise<T>): Promise<T> {
    const { client, untrustedCode, gasMax } = this.#options;
    const gas = gasMax > ownReadsGasMax ? gasMax : ownReadsGasMax;
    this.#runsCode ??= runsCode(client, this.#payment, this.#operator);
    try {
      return (await this.#runsCode)
        ? await untrustedCode.run(gas, call)
        : await call(untrustedCode.reader(gas));
    } catch (error) {
      if (error instanceof BursarError) this.#fault ??= error;
      throw error;
    }
  }
}

interface Channel {
  readonly payer: Address;
  readonly payerAuthorizer: Address;
  readonly receiverAuthorizer: Address;
}

/** The parts of payloads of all kinds in which accounts are named, as `readPayment` let them through. */
interface Parties {
  readonly authorization?: { readonly from: Address };
  readonly channelConfig?: Channel;
  readonly claims?: readonly unknown[];
}

/** Whether code may run that the payment names. A factory that a signature names (ERC-6492) runs for accounts with code alone. */
async function runsCode(
  client: ChainReader,
  { kind, payload }: Payment,
  operator: Address,
): Promise<boolean> {
  if (kind === "settle") return false;
  const { authorization, channelConfig, claims } = payload.payload as Parties;
  if (claims && claims.length > 0) return true;
  const { payer, payerAuthorizer, receiverAuthorizer } = channelConfig ?? {};
  const isUntrusted = (one: string) => one !== zeroAddress && one !== operator.toLowerCase();
  const accounts = [authorization?.from, payer, payerAuthorizer, receiverAuthorizer]
    .flatMap((one) => (one ? [one.toLowerCase() as Address] : []))
    .filter(isUntrusted);
  const codes = await Promise.all([...new Set(accounts)].map((address) => client.getCode({ address })));
  return codes.some((code) => code !== undefined && size(code) > 0);
}

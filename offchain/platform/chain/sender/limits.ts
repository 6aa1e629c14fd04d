import { transactionGasMax } from "../client/untrustedCode.ts";
import { callBytesMax } from "../port.ts";

/** What the settings decide of a sender: each with variable, default and range in `app/settings.ts`. */
export interface SenderSettings {
  readonly queueMax: number;
  readonly relayGasMax: number;
  readonly inFlightMax: number;
  readonly replaceAfterMs: number;
  readonly feeMaxGwei: number;
  readonly feeBumpPercent: number;
  readonly balanceMinGwei: number;
}

/** The settings in a sender's units. */
export interface SetSenderLimits {
  /** Callers' transactions that wait to be sent; more are refused. */
  readonly maxRelayed: number;
  /** Most gas of a call that a caller asks for. */
  readonly relayedGasMax: bigint;
  /** What the key keeps for the service's own transactions, wei: with less, no caller's is taken. */
  readonly balanceMin: bigint;
  /** Transactions that wait for a block at once. */
  readonly maxInFlight: number;
  /** How long a broadcast transaction may stay out of a block before its fee is raised. */
  readonly stuckAfterMs: number;
  /** Never pay more than this, wei per gas. */
  readonly maxFeePerGas: bigint;
  /** Raise of both fees for a replacement; nodes ask for at least 1,000. */
  readonly bumpBps: bigint;
  /** Blocks after which a mined transaction is final. */
  readonly finalityBlocks: bigint;
}

export interface SenderLimits extends SetSenderLimits {
  /** Callers' requests that are simulated at once, and that wait for it. */
  readonly maxJudged: number;
  readonly maxToJudge: number;
  /** Waiting transactions of callers, and independent ones, that are judged before the service's own are looked for again. */
  readonly maxJudgedAtOnce: number;
  /** How long a caller's call that the provider could not judge stands back before it is judged again. */
  readonly standBackMs: number;
  /** Open transactions looked at in one pass. */
  readonly maxOpen: number;
  /** How long the provider may not know a broadcast transaction before it is broadcast again. */
  readonly rebroadcastAfterMs: number;
  /** Most gas of any transaction; a dearer one is taken by no node (EIP-7825). */
  readonly transactionGasMax: bigint;
  /** Most bytes of any transaction's call. */
  readonly callBytesMax: number;
  /** Gas limit over the estimate. */
  readonly gasLimitBps: bigint;
  readonly pollIntervalMs: number;
  /** Default patience of `wait`. */
  readonly waitTimeoutMs: number;
}

/** Fixed in production; tests override it. */
export const fixedSenderLimits: Omit<SenderLimits, keyof SetSenderLimits> = {
  maxJudged: 8,
  maxToJudge: 256,
  maxJudgedAtOnce: 8,
  standBackMs: 10_000,
  maxOpen: 500,
  rebroadcastAfterMs: 5_000,
  transactionGasMax,
  callBytesMax,
  gasLimitBps: 12_500n,
  pollIntervalMs: 1_000,
  waitTimeoutMs: 60_000,
};

export const senderLimitsOf = (
  settings: SenderSettings,
  chain: { readonly finalityDepthBlocks: number },
): SetSenderLimits => ({
  maxRelayed: settings.queueMax,
  relayedGasMax: BigInt(settings.relayGasMax),
  balanceMin: BigInt(settings.balanceMinGwei) * 10n ** 9n,
  maxInFlight: settings.inFlightMax,
  stuckAfterMs: settings.replaceAfterMs,
  maxFeePerGas: BigInt(settings.feeMaxGwei) * 10n ** 9n,
  bumpBps: BigInt(settings.feeBumpPercent) * 100n,
  finalityBlocks: BigInt(chain.finalityDepthBlocks),
});

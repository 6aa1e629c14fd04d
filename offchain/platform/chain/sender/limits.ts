/** What the settings decide of a sender: each with variable, default and range in `app/settings.ts`. */
export interface SenderSettings {
  readonly inFlightMax: number;
  readonly replaceAfterMs: number;
  readonly feeMaxGwei: number;
  readonly feeBumpPercent: number;
}

/** The settings in a sender's units. */
export interface SetSenderLimits {
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
  /** Open transactions looked at in one pass. */
  readonly maxOpen: number;
  /** How long the provider may not know a broadcast transaction before it is broadcast again. */
  readonly rebroadcastAfterMs: number;
  /** Gas limit over the estimate. */
  readonly gasLimitBps: bigint;
  readonly pollIntervalMs: number;
  /** Default patience of `wait`. */
  readonly waitTimeoutMs: number;
}

/** What nobody sets but tests. */
export const fixedSenderLimits: Omit<SenderLimits, keyof SetSenderLimits> = {
  maxOpen: 500,
  rebroadcastAfterMs: 5_000,
  gasLimitBps: 12_500n,
  pollIntervalMs: 1_000,
  waitTimeoutMs: 60_000,
};

export const senderLimitsOf = (
  settings: SenderSettings,
  chain: { readonly finalityDepthBlocks: number },
): SetSenderLimits => ({
  maxInFlight: settings.inFlightMax,
  stuckAfterMs: settings.replaceAfterMs,
  maxFeePerGas: BigInt(settings.feeMaxGwei) * 10n ** 9n,
  bumpBps: BigInt(settings.feeBumpPercent) * 100n,
  finalityBlocks: BigInt(chain.finalityDepthBlocks),
});

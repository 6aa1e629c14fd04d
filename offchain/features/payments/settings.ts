import { z } from "zod";
import { BursarError } from "#offchain/core/error.ts";
import { ofFirstChain, oneOf, setting, urlOf, usdc, whole } from "#offchain/platform/settings.ts";
import { batchModes } from "./rules/batch.ts";
import { parseChannelTokens } from "./rules/tokens.ts";

/** The text is kept: what stands on a chain is known where the chain is opened, and is compared there. */
const channelTokens: z.ZodType<string> = z.string().superRefine((text, context) => {
  try {
    parseChannelTokens(text, {});
  } catch (error) {
    if (!(error instanceof BursarError)) throw error;
    context.addIssue({ code: "custom", message: error.message });
  }
});

/** When batches close and settle, and what the intake takes at once. */
export const paymentsSettings = {
  size: setting(
    "BURSAR_BATCH_SIZE",
    "100",
    whole(1, 1_000_000),
    "Payments that close a batch; its channels are claimed in one transaction",
  ),
  maxDelayMs: setting("BURSAR_BATCH_MAX_DELAY_MS", "60000", whole(10, 86_400_000), "Age that closes a batch"),
  minAmount: setting("BURSAR_BATCH_MIN_AMOUNT", "1.00", usdc, "Value in USDC that closes a batch"),
  mode: setting(
    "BURSAR_BATCH_MODE",
    "immediate",
    oneOf(...batchModes),
    "immediate settles at a limit; price-aware waits for cheap gas and clean energy, within the delay",
  ),
  urgentAmount: setting(
    "BURSAR_BATCH_URGENT_AMOUNT",
    "100.00",
    usdc,
    "Value in USDC from which a batch does not wait for cleaner energy",
  ),
  nativePrice: ofFirstChain(
    setting(
      "BURSAR_NATIVE_PRICE",
      undefined,
      usdc.optional(),
      "USDC that one native token costs, by which a batch must be worth its gas; 1.00 on Arc; unset: gas is not weighed",
    ),
  ),
  channelTokens: ofFirstChain(
    setting(
      "BURSAR_CHANNEL_TOKENS",
      "",
      channelTokens,
      "Tokens beside USDC that channels may be in, as AVT=0x…/1.00: unit, address and, if wanted, the value that closes a batch; separated by commas",
    ),
  ),
  gasHistoryBlocks: setting(
    "BURSAR_GAS_HISTORY_BLOCKS",
    "100",
    whole(2, 1024),
    "Blocks whose median fee tells cheap gas from dear",
  ),
  intakeGroupMax: setting(
    "BURSAR_INTAKE_GROUP_MAX",
    "1000",
    whole(1, 10_000),
    "Payments that one database commit carries",
  ),
  intakeQueueMax: setting(
    "BURSAR_INTAKE_QUEUE_MAX",
    "20000",
    whole(1, 1_000_000),
    "Payments waiting for a commit; more get 503 OVERLOADED",
  ),
  acceptLagMaxMs: setting(
    "BURSAR_ACCEPT_LAG_MAX_MS",
    "300000",
    // Below the shortest withdrawal delay (15 minutes), with time to claim.
    whole(1000, 600_000),
    "How long vouchers are taken after the service has lost the chain's head; then 503 CHAIN_UNAVAILABLE, since payers may be withdrawing unseen",
  ),
  forgedMax: setting(
    "BURSAR_FORGED_VOUCHERS_MAX",
    "4",
    whole(1, 1000),
    "Forged vouchers of one request after which the rest of it is not looked at (VOUCHER_UNCHECKED)",
  ),
  payoutEveryMs: setting(
    "BURSAR_PAYOUT_EVERY_MS",
    "60000",
    whole(100, 86_400_000),
    "Time between retries of payouts that the token refused",
  ),
  tickMs: setting("BURSAR_BATCH_TICK_MS", "250", whole(10, 60_000), "Time between looks at open batches"),
  gridForecastUrl: setting(
    "BURSAR_GRID_FORECAST_URL",
    undefined,
    urlOf("http:", "https:").optional(),
    "Marginal intensity forecast of the grid that settles, as WattTime's v3/forecast answers it; unset: not known",
    "password",
  ),
  gridToken: setting(
    "BURSAR_GRID_TOKEN",
    undefined,
    z.string().min(1).optional(),
    "Bearer token for it",
    "whole",
  ),
  gridRefreshMs: setting(
    "BURSAR_GRID_REFRESH_MS",
    "300000",
    whole(1000, 86_400_000),
    "Time for which a forecast is used before it is asked for anew",
  ),
} as const;

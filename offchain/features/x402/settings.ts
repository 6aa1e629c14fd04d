import { isAddress } from "viem";
import { z } from "zod";
import { account, list, setting, whole } from "#offchain/platform/settings.ts";
import { parsePrices } from "./rules/price.ts";

/** Kept as text, so that it can be shown; checked here, so that a bad one stops the start. */
const prices: z.ZodType<string> = z.string().superRefine((text, context) => {
  try {
    parsePrices(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: error instanceof Error ? error.message : "must be prices" });
  }
});

/** What is sold by x402, and for whom payments are settled. */
export const x402Settings = {
  prices: setting(
    "BURSAR_PRICES",
    "{}",
    prices,
    'Prices of actions in USDC as JSON: {"carbon.estimate":"0.001"}, or {"amount":most,"perItem":each} for a metered one',
  ),
  payTo: setting(
    "BURSAR_X402_PAY_TO",
    undefined,
    account.optional(),
    "Address that priced actions are paid to; unset: the operator",
  ),
  payees: setting(
    "BURSAR_X402_PAYEES",
    "",
    list("must be addresses separated by commas", (entry) => isAddress(entry)),
    "Addresses whose x402 payments are settled here; empty: anybody's",
  ),
  claimEveryMs: setting(
    "BURSAR_X402_CLAIM_EVERY_MS",
    "60000",
    whole(100, 86_400_000),
    "Time between claims of what priced actions have earned in channels; below the withdrawal delay",
  ),
  saleRetentionMs: setting(
    "BURSAR_X402_SALE_RETENTION_MS",
    "604800000",
    whole(60_000, 315_360_000_000),
    "Time for which a repeated paid request returns its first answer",
  ),
  gasMax: setting(
    "BURSAR_X402_GAS_MAX",
    "500000",
    whole(50_000, 16_777_216),
    "Most gas of one x402 settlement; the payer's own code runs in it",
  ),
  settleTimeoutMs: setting(
    "BURSAR_X402_SETTLE_TIMEOUT_MS",
    "15000",
    whole(1, 120_000),
    "Longest wait of an x402 settle for its block; after it the answer is settlement_pending",
  ),
} as const;

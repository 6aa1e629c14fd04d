import { getAddress, isAddress, isHex } from "viem";
import { z } from "zod";
import { parseAmount } from "#offchain/core/unit.ts";
import { batchModes } from "#offchain/features/payments/batchPolicy.ts";
import { parsePrices } from "#offchain/features/x402/price.ts";

/** One environment variable: its default text, its rule, and what it means. */
export interface Setting<Value> {
  readonly variable: string;
  readonly fallback: string | undefined;
  readonly schema: z.ZodType<Value>;
  readonly words: string;
  /** `whole`: never shown. `password`: shown without its password, keys and path. */
  readonly secret?: "whole" | "password";
}

function setting<Value>(
  variable: string,
  fallback: string | undefined,
  schema: z.ZodType<Value>,
  words: string,
  secret?: "whole" | "password",
): Setting<Value> {
  return { variable, fallback, schema, words, ...(secret && { secret }) };
}

const whole = (least: number, most: number): z.ZodType<number> =>
  z
    .string()
    .regex(/^\d{1,15}$/, "must be a whole number in digits")
    .transform(Number)
    .refine((value) => value >= least && value <= most, `must be from ${least} to ${most}`);

const oneOf = <Choice extends string>(...choices: [Choice, ...Choice[]]): z.ZodType<Choice> =>
  z.enum(choices, { error: `must be one of ${choices.join(", ")}` });

const flag: z.ZodType<boolean> = oneOf("true", "false").transform((text) => text === "true");

const list = (rule: string, fits: (entry: string) => boolean): z.ZodType<readonly string[]> =>
  z
    .string()
    .transform((text) => text.split(",").flatMap((entry) => entry.trim() || []))
    .refine((entries) => entries.every(fits), rule);

const urlOf = (...protocols: string[]) =>
  z
    .string()
    .refine(
      (text) => URL.canParse(text) && protocols.includes(new URL(text).protocol),
      `must be an address that starts with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`,
    );

const key: z.ZodType<`0x${string}`> = z
  .string()
  .refine((text) => isHex(text) && text.length === 66, "must be a private key: 0x and 64 hexadecimal digits")
  .transform((text) => text as `0x${string}`);

const usdc: z.ZodType<bigint> = z.string().transform((text, context) => {
  try {
    return parseAmount(text, "USDC");
  } catch {
    context.addIssue({ code: "custom", message: "must be a USDC amount such as 1.00" });
    return z.NEVER;
  }
});

/** Kept as text, so that it can be shown; checked here, so that a bad one stops the start. */
const prices: z.ZodType<string> = z.string().superRefine((text, context) => {
  try {
    parsePrices(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: error instanceof Error ? error.message : "must be prices" });
  }
});

const account: z.ZodType<`0x${string}`> = z
  .string()
  .refine((text) => isAddress(text), "must be an address: 0x and 40 hexadecimal digits, its case a checksum")
  .transform((text) => getAddress(text));

const isOrigin = (text: string) => text === "*" || (URL.canParse(text) && new URL(text).origin === text);

/** Every setting of the service, by the part that it governs. The one place where limits get their names and defaults. */
export const settings = {
  http: {
    host: setting("BURSAR_HOST", "127.0.0.1", z.string().min(1), "Interface that the API listens on"),
    port: setting("BURSAR_PORT", "4020", whole(0, 65_535), "TCP port of the API; 0 takes a free one"),
    bodyLimitBytes: setting("BURSAR_BODY_LIMIT_BYTES", "1048576", whole(1024, 2 ** 30), "Largest body"),
    inFlightMax: setting(
      "BURSAR_HTTP_IN_FLIGHT_MAX",
      "4000",
      whole(1, 1_000_000),
      "Requests answered at once; more get 503 OVERLOADED",
    ),
    requestTimeoutMs: setting(
      "BURSAR_REQUEST_TIMEOUT_MS",
      "30000",
      whole(100, 600_000),
      "Longest time that a request may take to arrive",
    ),
    drainTimeoutMs: setting(
      "BURSAR_DRAIN_TIMEOUT_MS",
      "10000",
      whole(0, 600_000),
      "Longest wait for running requests when stopping",
    ),
    corsOrigins: setting(
      "BURSAR_CORS_ORIGINS",
      "http://localhost:3000",
      list("must be origins such as https://app.example.com, separated by commas, or *", isOrigin),
      "Web origins that may read the API",
    ),
    ratePerIpPerSecond: setting(
      "BURSAR_RATE_PER_IP_PER_SECOND",
      "200",
      whole(0, 1_000_000),
      "Requests per second from one IP address; 0 = no limit",
    ),
    ratePerIpBurst: setting(
      "BURSAR_RATE_PER_IP_BURST",
      "400",
      whole(1, 1_000_000),
      "Requests that one IP address may send at once",
    ),
    ratePerIdentityPerSecond: setting(
      "BURSAR_RATE_PER_IDENTITY_PER_SECOND",
      "100",
      whole(0, 1_000_000),
      "Signed requests per second of one agent; 0 = no limit",
    ),
    ratePerIdentityBurst: setting(
      "BURSAR_RATE_PER_IDENTITY_BURST",
      "200",
      whole(1, 1_000_000),
      "Signed requests that one agent may send at once",
    ),
    rateTrackedMax: setting(
      "BURSAR_RATE_TRACKED_MAX",
      "100000",
      whole(100, 10_000_000),
      "Addresses whose rate is remembered; the longest idle is forgotten first",
    ),
    rateExemptIps: setting(
      "BURSAR_RATE_EXEMPT_IPS",
      "127.0.0.1,::1",
      list("must be IP addresses separated by commas", (entry) => /^[0-9a-fA-F:.]+$/.test(entry)),
      "IP addresses without a limit (unless they forward for others)",
    ),
    trustedProxies: setting(
      "BURSAR_TRUSTED_PROXIES",
      "",
      list("must be IP addresses separated by commas", (entry) => /^[0-9a-fA-F:.]+$/.test(entry)),
      "Reverse proxies whose X-Forwarded-For is believed",
    ),
    streamRingSize: setting(
      "BURSAR_STREAM_RING_SIZE",
      "1024",
      whole(1, 1_000_000),
      "Live events kept for clients that reconnect",
    ),
    streamClientsMax: setting("BURSAR_STREAM_CLIENTS_MAX", "500", whole(1, 100_000), "Live streams at once"),
    streamHeartbeatMs: setting(
      "BURSAR_STREAM_HEARTBEAT_MS",
      "15000",
      whole(100, 300_000),
      "Time between heartbeats on a live stream",
    ),
    paymentStreamsMax: setting(
      "BURSAR_PAYMENT_STREAMS_MAX",
      "500",
      whole(1, 100_000),
      "Payment streams (WebSocket) at once",
    ),
    paymentStreamWindow: setting(
      "BURSAR_PAYMENT_STREAM_WINDOW",
      "256",
      whole(1, 10_000),
      "Vouchers of one payment stream that may be without an answer; more are left unread",
    ),
    paymentStreamMessageLimitBytes: setting(
      "BURSAR_PAYMENT_STREAM_MESSAGE_LIMIT_BYTES",
      "16384",
      whole(1024, 2 ** 20),
      "Largest message of a payment stream; a larger one ends it with code 1009",
    ),
    isDebug: setting("BURSAR_DEBUG", "false", flag, "Whether answers to errors carry their stack"),
  },
  database: {
    url: setting(
      "DATABASE_URL",
      undefined,
      urlOf("postgres:", "postgresql:").optional(),
      "PostgreSQL to use; unset starts an own one in the data folder",
      "password",
    ),
    dataDir: setting("BURSAR_DATA_DIR", "data", z.string().min(1), "Folder of the own database and keys"),
    programsDir: setting(
      "BURSAR_POSTGRES_BIN",
      undefined,
      z.string().min(1).optional(),
      "Folder of another PostgreSQL's programs for the own database, e.g. /usr/lib/postgresql/15/bin; unset takes npm's",
    ),
    connectionsMax: setting("BURSAR_DATABASE_CONNECTIONS_MAX", "10", whole(2, 500), "Database connections"),
  },
  locks: {
    mode: setting(
      "BURSAR_LOCKS",
      "auto",
      oneOf("auto", "local", "postgres", "redis"),
      "What keeps locks between instances; auto takes Redis if REDIS_URL is set, else PostgreSQL if DATABASE_URL is, else the process",
    ),
    redisUrl: setting(
      "REDIS_URL",
      undefined,
      urlOf("redis:", "rediss:", "unix:").optional(),
      "Redis that keeps the locks",
      "password",
    ),
  },
  chain: {
    rpcUrl: setting(
      "BURSAR_RPC_URL",
      "http://127.0.0.1:8545",
      urlOf("http:", "https:", "ws:", "wss:"),
      "The chain's JSON-RPC",
      "password",
    ),
    chainId: setting("BURSAR_CHAIN_ID", "31337", whole(1, 2 ** 48), "EIP-155 chain id"),
    operatorKey: setting(
      "BURSAR_OPERATOR_KEY",
      undefined,
      key.optional(),
      "Private key that relays and settles; unset uses the development mnemonic's first account on chain 31337",
      "whole",
    ),
    confirmations: setting(
      "BURSAR_CONFIRMATIONS",
      "1",
      whole(1, 1000),
      "Blocks, its own included, after which a transaction counts as mined",
    ),
    finalityDepthBlocks: setting(
      "BURSAR_FINALITY_DEPTH_BLOCKS",
      "64",
      whole(1, 100_000),
      "Blocks that may still be reorganised away",
    ),
    pollIntervalMs: setting(
      "BURSAR_POLL_INTERVAL_MS",
      "1000",
      whole(50, 60_000),
      "Time between looks at the chain's head",
    ),
    logRangeMaxBlocks: setting(
      "BURSAR_LOG_RANGE_MAX_BLOCKS",
      "2000",
      whole(1, 1_000_000),
      "Blocks asked for in one eth_getLogs; narrowed when the node refuses",
    ),
    rpcTimeoutMs: setting("BURSAR_RPC_TIMEOUT_MS", "10000", whole(100, 120_000), "Longest wait for the node"),
    indexerLagMaxBlocks: setting(
      "BURSAR_INDEXER_LAG_MAX_BLOCKS",
      "50",
      whole(1, 1_000_000),
      "Blocks behind the head at which the service is not healthy",
    ),
  },
  sender: {
    queueMax: setting(
      "BURSAR_SENDER_QUEUE_MAX",
      "1000",
      whole(1, 1_000_000),
      "Transactions waiting for the chain; more are refused",
    ),
    inFlightMax: setting(
      "BURSAR_SENDER_IN_FLIGHT_MAX",
      "16",
      whole(1, 1000),
      "Transactions sent and not yet mined",
    ),
    replaceAfterMs: setting(
      "BURSAR_SENDER_REPLACE_AFTER_MS",
      "30000",
      whole(1000, 3_600_000),
      "Age at which a transaction is sent again with a higher fee",
    ),
    feeBumpPercent: setting(
      "BURSAR_SENDER_FEE_BUMP_PERCENT",
      "13",
      whole(10, 100),
      "How much more a replacement pays",
    ),
    feeMaxGwei: setting("BURSAR_SENDER_FEE_MAX_GWEI", "500", whole(1, 1_000_000), "Highest fee per gas"),
  },
  batch: {
    size: setting(
      "BURSAR_BATCH_SIZE",
      "100",
      whole(1, 1_000_000),
      "Payments that close a batch; its channels are claimed in one transaction",
    ),
    maxDelayMs: setting(
      "BURSAR_BATCH_MAX_DELAY_MS",
      "60000",
      whole(10, 86_400_000),
      "Age that closes a batch",
    ),
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
    nativePrice: setting(
      "BURSAR_NATIVE_PRICE",
      undefined,
      usdc.optional(),
      "USDC that one native token costs, by which a batch must be worth its gas; 1.00 on Arc; unset: gas is not weighed",
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
    payoutEveryMs: setting(
      "BURSAR_PAYOUT_EVERY_MS",
      "60000",
      whole(100, 86_400_000),
      "Time between tries to pay out what was claimed for payees whom their token did not let be paid",
    ),
    tickMs: setting("BURSAR_BATCH_TICK_MS", "250", whole(10, 60_000), "Time between looks at open batches"),
    rootEveryMs: setting(
      "BURSAR_CLEARING_ROOT_EVERY_MS",
      "3600000",
      whole(100, 2_592_000_000),
      "Longest that a cleared payment waits for a root; the contract takes the next one a day after the last",
    ),
  },
  grid: {
    forecastUrl: setting(
      "BURSAR_GRID_FORECAST_URL",
      undefined,
      urlOf("http:", "https:").optional(),
      "Marginal intensity forecast of the grid that settles, as WattTime's v3/forecast answers it; unset: not known",
      "password",
    ),
    token: setting(
      "BURSAR_GRID_TOKEN",
      undefined,
      z.string().min(1).optional(),
      "Bearer token for it",
      "whole",
    ),
    refreshMs: setting(
      "BURSAR_GRID_REFRESH_MS",
      "300000",
      whole(1000, 86_400_000),
      "Time for which a forecast is used before it is asked for anew",
    ),
  },
  ledger: {
    keyRetentionMs: setting(
      "BURSAR_LEDGER_KEY_RETENTION_MS",
      "2592000000",
      whole(60_000, 315_360_000_000),
      "Time for which an idempotency key returns its first result; after it the key may be used anew",
    ),
    tickMs: setting(
      "BURSAR_LEDGER_TICK_MS",
      "1000",
      whole(10, 3_600_000),
      "Time between looks at expired holds and scheduled transfers",
    ),
  },
  solvency: {
    everyMs: setting(
      "BURSAR_SOLVENCY_EVERY_MS",
      "60000",
      whole(100, 86_400_000),
      "Time between snapshots of what is owed and what is held",
    ),
    freshForMs: setting(
      "BURSAR_SOLVENCY_FRESH_FOR_MS",
      "5000",
      whole(0, 3_600_000),
      "Age up to which the newest snapshot is given to who asks for a new one",
    ),
    proofRetentionMs: setting(
      "BURSAR_SOLVENCY_PROOF_RETENTION_MS",
      "21600000",
      whole(1_000, 315_360_000_000),
      "Time for which proofs of a snapshot are given; its sums and roots stay for good",
    ),
    reserves: setting(
      "BURSAR_SOLVENCY_RESERVES",
      "",
      list("must be addresses separated by commas", (entry) => isAddress(entry)),
      "Addresses whose tokens back the ledger's own balances",
    ),
  },
  x402: {
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
    settleTimeoutMs: setting(
      "BURSAR_X402_SETTLE_TIMEOUT_MS",
      "15000",
      whole(1, 120_000),
      "Longest wait of an x402 settle for its block; after it the answer is settlement_pending",
    ),
  },
  observe: {
    logLevel: setting(
      "BURSAR_LOG_LEVEL",
      "info",
      oneOf("trace", "debug", "info", "warn", "error", "fatal", "silent"),
      "Least severe log line that is written",
    ),
    healthTimeoutMs: setting(
      "BURSAR_HEALTH_TIMEOUT_MS",
      "2000",
      whole(50, 60_000),
      "Longest time that one health check may take",
    ),
  },
} as const;

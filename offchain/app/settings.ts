import { isIP } from "node:net";
import { z } from "zod";
import { developmentChainIds } from "#offchain/core/localChain.ts";
import { coinSymbol } from "#offchain/core/unit.ts";
import { waitingMaxDefault } from "#offchain/platform/database/database.ts";
import {
  chainId,
  chainIds,
  flag,
  isOrigin,
  key,
  list,
  listOrNone,
  ofFirstChain,
  oneOf,
  setting,
  urlOf,
  whole,
} from "#offchain/platform/settings.ts";

/** The settings of the doors and the platform, by part; a feature's own stand in its folder. */
export const settings = {
  http: {
    host: setting("BURSAR_HOST", "127.0.0.1", z.string().min(1), "Interface that the API listens on"),
    port: setting("BURSAR_PORT", "4020", whole(0, 65_535), "TCP port of the API; 0 takes a free one"),
    bodyLimitBytes: setting("BURSAR_BODY_LIMIT_BYTES", "1048576", whole(1024, 2 ** 30), "Largest body"),
    bodyTimeoutMs: setting(
      "BURSAR_BODY_TIMEOUT_MS",
      "10000",
      whole(100, 600_000),
      "Longest time that a body may take to arrive; later ones get 408 BODY_LATE",
    ),
    bodiesMax: setting(
      "BURSAR_HTTP_BODIES_MAX",
      "1000",
      whole(1, 1_000_000),
      "Bodies that are coming in at once; for one more the oldest is given up (503 OVERLOADED)",
    ),
    inFlightMax: setting(
      "BURSAR_HTTP_IN_FLIGHT_MAX",
      "4000",
      whole(1, 1_000_000),
      "Requests answered at once; more get 503 OVERLOADED",
    ),
    inFlightPerIpMax: setting(
      "BURSAR_HTTP_IN_FLIGHT_PER_IP_MAX",
      "400",
      whole(1, 1_000_000),
      "Requests of one IP address answered at once; more get 429 RATE_LIMITED",
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
      listOrNone("must be origins such as https://app.example.com, separated by commas, or *", isOrigin),
      "Web origins that may read the API; none = no page may",
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
    streamRatePerSecond: setting(
      "BURSAR_STREAM_RATE_PER_SECOND",
      "20000",
      whole(0, 1_000_000),
      "Messages per second over all streams of one agent, or of one IP address that signs nothing, and vouchers per second over all batches of either; 0 = no limit",
    ),
    streamRateBurst: setting(
      "BURSAR_STREAM_RATE_BURST",
      "40000",
      whole(1, 1_000_000),
      "Messages that one agent, or IP address, may stream at once, and vouchers that it may send in batches",
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
      listOrNone("must be IP addresses separated by commas", (entry) => isIP(entry) !== 0),
      "IP addresses without a limit (unless they forward for others); none = nobody",
    ),
    publicUrls: setting(
      "BURSAR_PUBLIC_URLS",
      "",
      list(
        "must be origins such as https://bursar.example.com, separated by commas",
        (entry) => entry !== "*" && isOrigin(entry),
      ),
      "Origins under which agents reach the service through proxies: what signed requests are signed for",
    ),
    trustedProxies: setting(
      "BURSAR_TRUSTED_PROXIES",
      "",
      list("must be IP addresses separated by commas", (entry) => isIP(entry) !== 0),
      "Reverse proxies whose X-Forwarded-For is believed",
    ),
    streamRingSize: setting(
      "BURSAR_STREAM_RING_SIZE",
      "1024",
      whole(1, 1_000_000),
      "Live events kept for clients that reconnect",
    ),
    streamClientsMax: setting("BURSAR_STREAM_CLIENTS_MAX", "500", whole(1, 100_000), "Live streams at once"),
    streamClientsPerIpMax: setting(
      "BURSAR_STREAM_CLIENTS_PER_IP_MAX",
      "50",
      whole(1, 100_000),
      "Live streams of one IP address at once",
    ),
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
    paymentStreamsPerIpMax: setting(
      "BURSAR_PAYMENT_STREAMS_PER_IP_MAX",
      "50",
      whole(1, 100_000),
      "Payment streams of one IP address at once",
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
    waitingMax: setting(
      "BURSAR_DATABASE_WAITING_MAX",
      String(waitingMaxDefault),
      whole(1, 1_000_000),
      "Queries and transactions that may wait for a connection; beyond it they are turned away with OVERLOADED",
    ),
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
  chains: {
    first: setting(
      "BURSAR_CHAIN_ID",
      String(developmentChainIds[0]),
      chainId,
      "EIP-155 id of the chain that is meant where nothing else is said",
    ),
    others: setting(
      "BURSAR_OTHER_CHAINS",
      "",
      chainIds,
      "Ids of further chains that are followed, separated by commas; each one's node is BURSAR_RPC_URL_<id>",
    ),
  },
  observe: {
    logLevel: setting(
      "BURSAR_LOG_LEVEL",
      "info",
      oneOf("trace", "debug", "info", "warn", "error", "fatal", "silent"),
      "Least severe log line that is written",
    ),
    clockDifferenceMaxMs: setting(
      "BURSAR_CLOCK_DIFFERENCE_MAX_MS",
      "300000",
      whole(1000, 86_400_000),
      "How far the clock may differ from the newest block of a public chain, and, up to 30 seconds, from the database's; beyond it nothing is forgotten, nothing expires and no schedule runs",
    ),
    healthTimeoutMs: setting(
      "BURSAR_HEALTH_TIMEOUT_MS",
      "2000",
      whole(50, 60_000),
      "Longest time that one health check may take",
    ),
  },
} as const;

/**
 * The settings of each chain: for one of several, with that chain's id behind the variable's name, as
 * `BURSAR_FINALITY_DEPTH_BLOCKS_137`. So are those of chain-bound features.
 */
export const chainSettings = {
  chain: {
    rpcUrl: ofFirstChain(
      setting(
        "BURSAR_RPC_URL",
        "http://127.0.0.1:8545",
        urlOf("http:", "https:"),
        "The chain's JSON-RPC over HTTP; new blocks are pushed by a WebSocket at the same address, if there is one",
        "password",
      ),
      { fallback: undefined },
    ),
    acceptGenesis: ofFirstChain(
      setting(
        "BURSAR_ACCEPT_GENESIS",
        undefined,
        z
          .string()
          .regex(/^0x[0-9a-f]{64}$/, "must be a block's hash: 0x and 64 hexadecimal digits in lower case")
          .transform((text) => text as `0x${string}`)
          .optional(),
        "Hash of the first block of a chain that was begun anew: what was on its way on the old one is written off. On the local chains 31337 and 31338 any is accepted",
      ),
    ),
    nativeCoin: ofFirstChain(
      setting(
        "BURSAR_NATIVE_COIN",
        "ETH",
        z.string().regex(coinSymbol, "must be a coin's symbol such as POL"),
        "Symbol of the coin of 18 decimals that the chain's gas is paid in",
      ),
    ),
    startBlock: ofFirstChain(
      setting(
        "BURSAR_START_BLOCK",
        "0",
        whole(0, 2 ** 48),
        "Block in which the contracts were deployed: the chain is read from there on. What is known of a chain keeps the one that it was begun with",
      ),
    ),
    operatorKey: setting(
      "BURSAR_OPERATOR_KEY",
      undefined,
      key.optional(),
      "Private key that relays and settles; unset uses the development mnemonic's first account on the local chains 31337 and 31338",
      "whole",
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
    rpcTimeoutMs: setting(
      "BURSAR_RPC_TIMEOUT_MS",
      "10000",
      whole(100, 120_000),
      "Longest wait for a whole answer of the node; what it does not give is asked for four times",
    ),
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
      "Transactions asked for by callers that wait to be sent; more are refused",
    ),
    relayGasMax: setting(
      "BURSAR_RELAY_GAS_MAX",
      "3000000",
      whole(100_000, 16_777_216),
      "Most gas of a call that is sent for a caller, such as a spend or the execution of a proposal",
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
    balanceMinGwei: setting(
      "BURSAR_OPERATOR_BALANCE_MIN_GWEI",
      "10000000",
      whole(0, 1_000_000_000_000),
      "What the operator keeps in the native coin for its own transactions, in billionths of it; with less, health is degraded and no caller's transaction is taken",
    ),
    feeMaxGwei: setting("BURSAR_SENDER_FEE_MAX_GWEI", "500", whole(1, 1_000_000), "Highest fee per gas"),
  },
} as const;

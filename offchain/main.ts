import { mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type Abi, type Address, getAddress, toHex } from "viem";
import { mnemonicToAccount, privateKeyToAccount } from "viem/accounts";
import { addresses as knownAddresses } from "#addresses";
import {
  batchSettlementAbi,
  clearingAbi,
  erc3009DepositCollectorAbi,
  testUsdcAbi,
  treasuryAbi,
} from "#contracts";
import {
  type Config,
  ConfigError,
  describeConfig,
  printableConfig,
  readConfig,
  unknownVariables,
} from "#offchain/app/config.ts";
import type { World } from "#offchain/app/world.ts";
import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import { createHttp } from "#offchain/doors/http/http.ts";
import { serve } from "#offchain/doors/http/serve.ts";
import { openAgents } from "#offchain/features/agents/store.ts";
import { openCarbon } from "#offchain/features/carbon/store.ts";
import { openClearing } from "#offchain/features/clearing/clearing.ts";
import { clearingHandlers } from "#offchain/features/clearing/events.ts";
import { clear } from "#offchain/features/clearing/jobs.ts";
import { openEnergy } from "#offchain/features/energy/energy.ts";
import { expire } from "#offchain/features/energy/jobs.ts";
import { openEvents } from "#offchain/features/events/feed.ts";
import { expireHolds, forgetOldKeys, runSchedules } from "#offchain/features/ledger/jobs.ts";
import { openLedger } from "#offchain/features/ledger/ledger.ts";
import { Announcer } from "#offchain/features/overview/announce.ts";
import { openOverviews } from "#offchain/features/overview/overview.ts";
import { settlementHandlers } from "#offchain/features/payments/events.ts";
import { gridReading } from "#offchain/features/payments/grid.ts";
import { openMicropayments } from "#offchain/features/payments/intake.ts";
import { claimPayers } from "#offchain/features/payments/jobs/claimPayers.ts";
import { ClosingWatch } from "#offchain/features/payments/jobs/closing.ts";
import { payOutHeld } from "#offchain/features/payments/jobs/payouts.ts";
import { type Market, settle } from "#offchain/features/payments/jobs/settle.ts";
import { openReceiptSigner } from "#offchain/features/payments/receiptSigner.ts";
import { endEpoch } from "#offchain/features/payments/store/claims.ts";
import type { SolvencyToken } from "#offchain/features/solvency/holdings.ts";
import { showSolvency, takeSnapshots } from "#offchain/features/solvency/jobs.ts";
import { reconcile } from "#offchain/features/solvency/reconcile.ts";
import { openSolvencySigner } from "#offchain/features/solvency/signer.ts";
import { openSolvency } from "#offchain/features/solvency/solvency.ts";
import { treasuryHandlers } from "#offchain/features/treasury/events.ts";
import { endProposals } from "#offchain/features/treasury/store.ts";
import { openTreasury } from "#offchain/features/treasury/treasury.ts";
import { knownContracts } from "#offchain/features/treasury/words.ts";
import { openFacilitator } from "#offchain/features/x402/facilitator.ts";
import { claimSales } from "#offchain/features/x402/jobs.ts";
import { networkNamesOf } from "#offchain/features/x402/payment.ts";
import { parsePrices } from "#offchain/features/x402/price.ts";
import type { Shop } from "#offchain/features/x402/service.ts";
import { forgetSales, openChannelStorage, openSales } from "#offchain/features/x402/store.ts";
import { type ChainClient, connectChain } from "#offchain/platform/chain/client.ts";
import { gasReading } from "#offchain/platform/chain/gas.ts";
import { Indexer } from "#offchain/platform/chain/indexer/indexer.ts";
import { startRecovery } from "#offchain/platform/chain/recovery.ts";
import { RevertDecoder } from "#offchain/platform/chain/revert.ts";
import { recoverAddress } from "#offchain/platform/chain/secp256k1.ts";
import { loseUnmined, Sender } from "#offchain/platform/chain/sender/sender.ts";
import { openDatabase, type Sql } from "#offchain/platform/database/database.ts";
import { startPostgres } from "#offchain/platform/database/postgres.ts";
import { every } from "#offchain/platform/jobs/every.ts";
import { latest } from "#offchain/platform/jobs/latest.ts";
import { once } from "#offchain/platform/jobs/once.ts";
import { chooseLocks } from "#offchain/platform/locks/choose.ts";
import { localKeeper } from "#offchain/platform/locks/local.ts";
import type { Locks } from "#offchain/platform/locks/lock.ts";
import { openLocks } from "#offchain/platform/locks/locks.ts";
import { databaseKeeper } from "#offchain/platform/locks/postgres.ts";
import { redisKeeper } from "#offchain/platform/locks/redis.ts";
import { createBus } from "#offchain/platform/observe/bus.ts";
import { createHealth } from "#offchain/platform/observe/health.ts";
import { createLog, type Log } from "#offchain/platform/observe/log.ts";
import { createMetrics } from "#offchain/platform/observe/metrics.ts";
import { ProgressTeller } from "#offchain/platform/observe/progress.ts";
import { Rate } from "#offchain/platform/observe/rate.ts";

/** Hardhat's public development mnemonic: worth nothing on any other chain, and refused there. */
const developmentMnemonic = "test test test test test test test test test test test junk";
const developmentChainId = 31337;
const expireEveryMs = 1_000;
/** A block of a fast chain: the price of gas changes with every block. */
const marketFreshMs = 2_000;
const forgetEveryMs = 3_600_000;

/** Contracts by name, whose errors a revert may carry. */
const abis: Record<string, Abi> = {
  Treasury: treasuryAbi as Abi,
  BatchSettlement: batchSettlementAbi as Abi,
  Clearing: clearingAbi as Abi,
  Erc3009DepositCollector: erc3009DepositCollectorAbi as Abi,
  TestUSDC: testUsdcAbi as Abi,
};

/** What is started is stopped in reverse order, each step once. */
class Shutdown {
  private readonly steps: { name: string; stop: () => Promise<void> }[] = [];
  private running: Promise<void> | null = null;

  add(name: string, stop: () => Promise<void>): void {
    this.steps.push({ name, stop });
  }

  run(log: Log): Promise<void> {
    this.running ??= (async () => {
      for (const { name, stop } of this.steps.toReversed())
        await stop().catch((error: unknown) => log.error({ err: error }, `stopping ${name} failed`));
    })();
    return this.running;
  }
}

if (import.meta.main) {
  if (process.argv.includes("--help")) {
    console.log(
      `node offchain/main.ts\n\nStarts the Bursar service. It is configured by its environment:\n\n${describeConfig()}`,
    );
  } else await run();
}

async function run(): Promise<void> {
  const config = readConfigOrExit();
  const clock: Clock = { now: () => Date.now() };
  const log = createLog({ level: config.observe.logLevel, clock });
  log.info(printableConfig(config), "configuration");
  for (const name of unknownVariables(process.env)) log.warn({ name }, "unknown variable is ignored");
  const shutdown = new Shutdown();
  const stop = async (signal: string) => {
    log.info({ signal }, "stopping");
    await shutdown.run(log);
    process.exit(0);
  };
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void stop(signal));
  try {
    await start(config, clock, log, shutdown);
  } catch (error) {
    log.fatal({ err: error }, "the service could not start");
    await shutdown.run(log);
    process.exit(1);
  }
}

async function start(config: Config, clock: Clock, log: Log, shutdown: Shutdown): Promise<void> {
  const { chainId } = config.chain;
  const contracts = contractsOn(chainId);
  const privateKey = operatorKey(config);
  const operator = privateKeyToAccount(privateKey);
  const sql = await openStore(config, log, shutdown);
  const locks = locksOf(config, sql, clock, log);
  shutdown.add("locks", () => locks.close());
  // When they are busy the service waits for them, and when it is, they for it; more than four it never keeps busy.
  const recovery = startRecovery(Math.min(4, availableParallelism()));
  shutdown.add("recovery", () => recovery.close());
  const metrics = createMetrics();
  const bus = createBus({ run: clock.now(), ringSize: config.http.streamRingSize });
  const rate = new Rate(clock);
  const client = connectChain({
    chainId,
    rpcUrl: config.chain.rpcUrl,
    pollIntervalMs: config.chain.pollIntervalMs,
    requestTimeoutMs: config.chain.rpcTimeoutMs,
  });

  const sender = new Sender({
    client,
    sql,
    clock,
    account: operator,
    abis,
    limits: {
      maxInFlight: config.sender.inFlightMax,
      stuckAfterMs: config.sender.replaceAfterMs,
      maxFeePerGas: BigInt(config.sender.feeMaxGwei) * 10n ** 9n,
      bumpBps: BigInt(config.sender.feeBumpPercent) * 100n,
      finalityBlocks: BigInt(config.chain.finalityDepthBlocks),
    },
    observer: {
      mined: ({ purpose, success, gasUsed }) => {
        metrics.senderTransactions.inc({ outcome: success ? "mined" : "reverted" });
        if (purpose === "batch.settle" && success) {
          metrics.batchesSettled.inc();
          metrics.settlementGas.inc(Number(gasUsed));
        }
      },
      failed: (error) => log.warn({ err: error }, "sending failed; it goes on"),
    },
  });
  const teller = new ProgressTeller({ log, clock, terminal: process.stderr });
  const showProgress = () => {
    const status = indexer.status();
    metrics.indexerProgressRatio.set(status.progress.share);
    metrics.indexerEventsPerSecond.set(status.progress.eventsPerSecond);
    metrics.indexerEtaSeconds.set((status.progress.etaMs ?? Number.NaN) / 1_000);
    teller.tell(status);
  };
  const indexer: Indexer = new Indexer({
    client,
    sql,
    clock,
    handlers: [
      ...settlementHandlers(contracts.batchSettlement, contracts),
      ...clearingHandlers(contracts.clearing, contracts.usdc),
      ...treasuryHandlers(contracts.treasury),
    ],
    // A local chain is put back on purpose (evm_revert): believed at once. Elsewhere a shorter chain is a lagging node.
    limits: {
      finalityBlocks: config.chain.finalityDepthBlocks,
      maxBlocks: config.chain.logRangeMaxBlocks,
      ...(chainId === developmentChainId && { shrinkToleranceMs: 0 }),
    },
    onNewEpoch: [
      async (tx, old) => {
        await endEpoch(tx, old.id, clock.now());
        await endProposals(tx, old.id);
      },
      loseUnmined(clock),
    ],
    observer: {
      committed: ({ to, head, events }) => {
        metrics.chainHeadBlock.set(head);
        metrics.indexedBlock.set(to);
        metrics.indexerLagBlocks.set(head - to);
        metrics.indexedEvents.inc(events);
        showProgress();
      },
      caughtUp: showProgress,
      rolledBack: (step) => {
        metrics.reorganisations.inc();
        log.warn(step, "the chain was reorganised; its events are taken back");
      },
      epochStarted: (step) =>
        log.info(
          step,
          step.old === null
            ? "following the chain"
            : "the chain is new: the old one's channels are written off",
        ),
      failed: (error) => log.warn({ err: error }, "indexing failed; it goes on"),
    },
  });
  const policy = {
    mode: config.batch.mode,
    batchSize: config.batch.size,
    maxDelayMs: config.batch.maxDelayMs,
    minAmount: config.batch.minAmount,
    urgentAmount: config.batch.urgentAmount,
  };
  const market = marketOf(config, client, clock, log);
  const announcer = new Announcer({ sql, bus, clock, view: indexer, rate });
  const epoch = () => indexer.status().epoch || null;
  const closing = new ClosingWatch({ sql, clock, log, bus, epoch });
  const known = knownContracts(contracts);
  const treasury = openTreasury({
    sql,
    client: client.reader,
    clock,
    view: indexer,
    sender,
    chainId,
    addresses: contracts,
    known,
    reverts: new RevertDecoder(abis),
    labels: new Map([
      [contracts.treasury.toLowerCase(), "the Treasury"],
      [contracts.batchSettlement.toLowerCase(), "the payment channels"],
      [contracts.usdc.toLowerCase(), "USDC"],
      [operator.address.toLowerCase(), "the operator"],
    ]),
  });
  const payTo = config.x402.payTo ?? operator.address;
  const facilitator = openFacilitator({
    sql,
    clock,
    client: client.reader,
    sender,
    chainId,
    usdc: contracts.usdc,
    batchSettlement: contracts.batchSettlement,
    treasury: contracts.treasury,
    payees: payeesOf(config, payTo),
    settleTimeoutMs: config.x402.settleTimeoutMs,
    onSettle: (outcome) => metrics.x402Settlements.inc({ outcome }),
  });
  const shop: Shop = {
    facilitator,
    sales: openSales(sql, clock, chainId),
    channels: openChannelStorage(sql, clock, chainId),
    prices: parsePrices(config.x402.prices),
    payTo,
    authorizer: {
      address: operator.address,
      signTypedData: (message) =>
        operator.signTypedData(message as Parameters<typeof operator.signTypedData>[0]),
    },
    token: { address: contracts.usdc, name: "USD Coin", version: "2" },
    network: `eip155:${chainId}`,
    networkNames: networkNamesOf(chainId),
  };
  const ledger = openLedger(sql, clock);
  const key = { address: operator.address, privateKey };
  const receipts = openReceiptSigner({ chainId, key, addresses: contracts });
  const clearing = openClearing({
    sql,
    client: client.reader,
    view: indexer,
    receipts,
    addresses: contracts,
  });
  const energy = openEnergy(sql, clock);
  const world: World = {
    clock,
    agents: openAgents(sql, clock, chainId),
    ledger,
    energy,
    carbon: openCarbon(sql, clock),
    micropayments: openMicropayments({
      sql,
      clock,
      view: indexer,
      sender,
      client: client.reader,
      recovery,
      receipts,
      isBonded: () => clearing.isBonded(),
      chainId,
      addresses: contracts,
      policy,
      queue: { maxGroup: config.batch.intakeGroupMax, maxWaiting: config.batch.intakeQueueMax },
      onAccepted: (count, value) => {
        metrics.paymentsAccepted.inc(count);
        announcer.paid(count, value);
      },
    }),
    clearing,
    treasury,
    events: openEvents({ sql, view: indexer, known }),
    overview: openOverviews({
      sql,
      clock,
      view: indexer,
      client: client.reader,
      treasury,
      energy,
      addresses: contracts,
      holders: [{ address: operator.address, name: "Operator", kind: "operator" }],
      limits: policy,
      rate: () => rate.perSecond(),
      standIns: [],
    }),
    solvency: openSolvency({
      sql,
      client: client.reader,
      view: indexer,
      clock,
      chainId,
      tokens: solvencyTokens(contracts, config.solvency.reserves),
      clearing: { address: contracts.clearing, settlement: contracts.batchSettlement },
      signer: openSolvencySigner({ chainId, key, settlement: contracts.batchSettlement }),
      freshForMs: config.solvency.freshForMs,
    }),
    x402: facilitator,
    prices: shop.prices,
    reconcile: () => reconcile({ sql, client: client.reader, view: indexer, ledger, addresses: contracts }),
  };

  await indexer.start();
  shutdown.add("indexer", () => indexer.stop());
  await sender.start();
  shutdown.add("sender", () => sender.stop());
  const failing = (job: string) => (error: unknown) =>
    log.error({ err: error, job }, "a job failed; it is tried again");
  const jobs = [
    every(
      config.batch.tickMs,
      () =>
        settle({
          sql,
          clock,
          log,
          policy,
          market,
          chainId,
          epoch,
          settlement: contracts.batchSettlement,
          sender,
          onBatch: (batchId, state) => log.debug({ batchId: batchId.toString(), state }, "batch"),
        }),
      failing("settle"),
    ),
    every(
      config.batch.tickMs,
      once(locks, "clear", () =>
        clear({
          sql,
          clock,
          log,
          client: client.reader,
          chainId,
          epoch,
          addresses: contracts,
          sender,
          isBonded: () => clearing.isBonded(),
          rootEveryMs: config.batch.rootEveryMs,
        }),
      ),
      failing("clear"),
    ),
    every(
      config.batch.tickMs,
      async () =>
        void (await claimPayers({
          sql,
          clock,
          log,
          chainId,
          epoch,
          settlement: contracts.batchSettlement,
          sender,
        })),
      failing("claim payers"),
    ),
    every(config.batch.tickMs, () => announcer.announce(), failing("announce")),
    every(
      config.batch.tickMs,
      async () => metrics.channelsClosing.set(await closing.look()),
      failing("closing channels"),
    ),
    every(
      expireEveryMs,
      once(locks, "expire", async () => {
        const { expired, tickets } = await expire(world);
        if (expired > 0n || tickets.length > 0)
          log.info({ expired: expired.toString(), tickets: tickets.length }, "energy spoiled");
      }),
      failing("expire"),
    ),
    every(
      config.ledger.tickMs,
      once(locks, "ledger", async () => {
        const [expired, runs] = [
          await expireHolds({ sql, clock, ledger }),
          await runSchedules({ sql, clock }),
        ];
        if (expired > 0 || runs > 0) log.info({ expired, runs }, "holds expired, schedules ran");
      }),
      failing("ledger"),
    ),
    every(
      forgetEveryMs,
      once(locks, "forget keys", async () => {
        const forgotten = await forgetOldKeys({ sql, clock }, config.ledger.keyRetentionMs);
        if (forgotten > 0) log.info({ forgotten }, "old idempotency keys are forgotten");
      }),
      failing("forget keys"),
    ),
    every(
      forgetEveryMs,
      once(locks, "forget sales", async () => {
        const forgotten = await forgetSales(sql, clock.now() - config.x402.saleRetentionMs);
        if (forgotten > 0) log.info({ forgotten }, "old sales are forgotten");
      }),
      failing("forget sales"),
    ),
    every(
      config.solvency.everyMs,
      async () => {
        await once(locks, "solvency", () => takeSnapshots(world, config.solvency.proofRetentionMs))();
        showSolvency(await world.solvency.report(), metrics, log);
      },
      failing("solvency"),
    ),
    every(
      config.x402.claimEveryMs,
      once(locks, "claim sales", async () => {
        const { claims, settled } = await claimSales(shop);
        if (claims > 0) log.info({ claims, settled }, "what channels earned is claimed");
      }),
      failing("claim sales"),
    ),
    every(
      config.batch.payoutEveryMs,
      once(locks, "payouts", async () => {
        const paid = await payOutHeld({
          sql,
          clock,
          sender,
          epoch,
          addresses: contracts,
        });
        if (paid > 0) log.info({ paid }, "payees whose payout was held are paid out");
      }),
      failing("payouts"),
    ),
  ];
  shutdown.add("jobs", async () => void (await Promise.all(jobs.map((job) => job.stop()))));

  const http = createHttp({
    world,
    shop,
    limits: config.http,
    chainId,
    operator: operator.address,
    recoverAddress,
    bus,
    log,
    metrics,
    health: createHealth({
      clock,
      timeoutMs: config.observe.healthTimeoutMs,
      checks: {
        database: async () => {
          await sql`SELECT 1`;
          return {};
        },
        chain: async () => ({ detail: { head: (await client.reader.getBlockNumber()).toString() } }),
        indexer: async () => {
          const { state, indexedTo, lagBlocks, problem } = indexer.status();
          const late = lagBlocks > config.chain.indexerLagMaxBlocks || state === "degraded";
          return {
            status: late ? "degraded" : "ok",
            detail: { state, indexedTo: indexedTo.toString(), lagBlocks, problem },
          };
        },
        sender: async () => {
          const [row] = await sql<{ open: number }[]>`
            SELECT count(*)::int AS open FROM chain_transaction WHERE state IN ('prepared', 'signed', 'sent')`;
          const open = row?.open ?? 0;
          metrics.senderQueueTransactions.set(open);
          return { status: open > config.sender.queueMax ? "degraded" : "ok", detail: { open } };
        },
      },
    }),
  });
  const server = await serve(http, config.http);
  shutdown.add("http", () => server.close());
  log.info({ url: server.url }, "listening");
}

async function openStore(config: Config, log: Log, shutdown: Shutdown): Promise<Sql> {
  const { url, dataDir, programsDir, connectionsMax } = config.database;
  let connection: Parameters<typeof openDatabase>[0]["connection"];
  if (url === undefined) {
    await mkdir(dataDir, { recursive: true });
    const server = await startPostgres({
      dataDir: join(dataDir, "postgres"),
      programsDir,
      onProgress: (what) => log.info(what),
    });
    shutdown.add("postgres", () => server.stop());
    connection = server.connection;
  } else connection = url;
  const sql = await openDatabase({ connection, maxConnections: connectionsMax });
  shutdown.add("database", () => sql.end({ timeout: 5 }));
  return sql;
}

function locksOf(config: Config, sql: Sql, clock: Clock, log: Log): Locks {
  const { mode, redisUrl } = config.locks;
  const chosen = chooseLocks(mode, { redisUrl, databaseUrl: config.database.url });
  log.info({ mode: chosen }, "locks");
  if (chosen === "local") return openLocks(localKeeper(clock));
  if (chosen === "postgres") return openLocks(databaseKeeper(sql));
  const onError = (err: Error) => log.warn({ err }, "Redis does not answer; no lock is given until it does");
  return openLocks(redisKeeper(redisUrl ?? "", onError));
}

function marketOf({ batch, grid }: Config, client: ChainClient, clock: Clock, log: Log): Market {
  const freshMs = marketFreshMs;
  const unknown = (what: string) => (err: unknown) =>
    log.warn({ err }, `${what} is not known; nothing waits for it`);
  const { forecastUrl, token } = grid;
  return {
    gas: latest(
      { clock, freshMs, onError: unknown("the price of gas") },
      gasReading(client.reader, batch.gasHistoryBlocks),
    ),
    energy: forecastUrl
      ? latest(
          { clock, freshMs: grid.refreshMs, onError: unknown("the grid's forecast") },
          gridReading({ url: forecastUrl, token, clock }),
        )
      : async () => null,
    nativePrice: batch.nativePrice ?? null,
  };
}

function contractsOn(
  chainId: number,
): Record<
  | "treasury"
  | "usdc"
  | "batchSettlement"
  | "depositCollector"
  | "clearing"
  | "staking"
  | "parameterRegistry"
  | "agentToken"
  | "scrip",
  Address
> {
  const known = Object.entries(knownAddresses).find(([id]) => Number(id) === chainId)?.[1];
  if (!known)
    throw new BursarError(
      "NETWORK_MISMATCH",
      `no contracts are known on chain ${chainId}: deploy them and add their addresses`,
      {
        facts: { chainId },
      },
    );
  return {
    treasury: known.Treasury,
    usdc: known.TestUSDC,
    batchSettlement: known.BatchSettlement,
    depositCollector: known.Erc3009DepositCollector,
    clearing: known.Clearing,
    staking: known.Staking,
    parameterRegistry: known.ParameterRegistry,
    agentToken: known.AgentToken,
    scrip: known.Scrip,
  };
}

/** Units with a form on the chain, and who holds it for those whom the ledger owes; nobody counts twice. */
function solvencyTokens(
  contracts: ReturnType<typeof contractsOn>,
  addresses: readonly string[],
): SolvencyToken[] {
  const ours = [
    { name: "Payment channels", address: contracts.batchSettlement },
    { name: "Clearing", address: contracts.clearing },
  ];
  const reserves = [...new Set(addresses.map((address) => getAddress(address)))]
    .filter((address) => ours.every((holder) => holder.address !== address))
    .map((address) => ({ name: "Reserve", address }));
  return [
    { unit: "USDC", token: contracts.usdc, holders: [...ours, ...reserves] },
    { unit: "AVT", token: contracts.agentToken, holders: reserves },
    { unit: "SCRIP", token: contracts.scrip, holders: reserves },
  ];
}

function operatorKey({ chain }: Config): `0x${string}` {
  if (chain.operatorKey) return chain.operatorKey as `0x${string}`;
  if (chain.chainId === developmentChainId)
    return toHex(mnemonicToAccount(developmentMnemonic).getHdKey().privateKey ?? new Uint8Array());
  throw new BursarError(
    "VALIDATION_INVALID_INPUT",
    "BURSAR_OPERATOR_KEY must be set on every chain but the local one",
    {
      facts: { chainId: chain.chainId },
    },
  );
}

/** Who is settled for: the listed and, if there is a list, what this service sells itself. */
function payeesOf({ x402 }: Config, own: Address): Address[] {
  return x402.payees.length === 0 ? [] : [...x402.payees.map((payee) => getAddress(payee)), own];
}

function readConfigOrExit(): Config {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exit(2);
  }
}

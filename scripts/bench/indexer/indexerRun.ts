// One run of bench:indexer: this service's indexer in a process of its own, from an empty database to the chain's head,
// with headers and reorg journal on and a balance kept for every account; says what it took as JSON.
import { type Address, getAddress, type Hex } from "viem";
import { migrations } from "#offchain/app/migrations.ts";
import { connectChain } from "#offchain/platform/chain/client/client.ts";
import { type EventArgs, on } from "#offchain/platform/chain/event.ts";
import { Indexer } from "#offchain/platform/chain/indexer/indexer.ts";
import { list } from "#offchain/platform/database/bytes.ts";
import {
  type DatabaseOptions,
  openDatabase,
  type Sql,
  type Tx,
} from "#offchain/platform/database/database.ts";
import { peakMemoryMb } from "../parts/cpu.ts";
import { emitterAbi } from "./chainRecord.ts";

/** What a run is told, as JSON in its first argument. */
export interface IndexerRunTask {
  connection: DatabaseOptions["connection"];
  rpcUrl: string;
  address: Hex;
  head: number;
}

/** What a run says, as JSON. */
export interface IndexerRunResult {
  events: number;
  seconds: number;
  /** Processor time of this process, both kinds. */
  cpuSeconds: number;
  peakRssMb: number;
  /** Resident memory after each quarter of the blocks. */
  rssMb: number[];
  /** Σ of the balances and how many there are: what the events came to. */
  balances: { accounts: number; total: string };
}

await main(JSON.parse(process.argv[2] ?? "{}") as IndexerRunTask);

async function main({ connection, rpcUrl, address, head }: IndexerRunTask): Promise<void> {
  const sql = await openDatabase({ connection, maxConnections: 4, migrations });
  await sql`CREATE TABLE bench_balance (account bytea PRIMARY KEY, balance numeric(78, 0) NOT NULL)`;
  const rssMb: number[] = [];
  const indexer = new Indexer({
    client: connectChain({ chainId: 31_337, rpcUrl, webSocketUrl: null, pollIntervalMs: 60_000 }),
    sql,
    clock: { now: () => Date.now() },
    handlers: [balances(getAddress(address))],
    limits: { finalityBlocks: 64, maxBlocks: 10_000 },
    observer: {
      committed: ({ to }) => {
        if (to >= ((rssMb.length + 1) * head) / 4) rssMb.push(megabytes(process.memoryUsage.rss()));
      },
      failed: (error) => console.error(error),
    },
  });
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await indexer.start();
  await indexer.waitForBlock(BigInt(head), 600_000);
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  await indexer.stop();
  const result: IndexerRunResult = {
    ...(await counted(sql)),
    seconds,
    cpuSeconds: (user + system) / 1e6,
    peakRssMb: await peakMemoryMb(process.pid),
    rssMb,
  };
  await sql.end();
  console.log(JSON.stringify(result));
}

/** The event's effect, the same as Ponder's handler has: what its sender has less and its receiver more. */
function balances(address: Address) {
  type Transfer = { args: EventArgs<typeof emitterAbi, "Transfer"> };
  const post = async (tx: Tx, events: readonly Transfer[], sign: bigint) => {
    const deltas = new Map<string, bigint>();
    const add = (account: string, delta: bigint) => deltas.set(account, (deltas.get(account) ?? 0n) + delta);
    for (const { args } of events) {
      add(args.from, -sign * args.value);
      add(args.to, sign * args.value);
    }
    await tx`
      INSERT INTO bench_balance
      SELECT decode(substr(account, 3), 'hex'), delta
      FROM unnest(${[...deltas.keys()]}::text[], ${list([...deltas.values()])}::numeric[]) AS change (account, delta)
      ON CONFLICT (account) DO UPDATE SET balance = bench_balance.balance + excluded.balance`;
  };
  return on({ name: "Emitter", abi: emitterAbi, addresses: [address] }, "Transfer", {
    apply: (tx, event) => post(tx, [event], 1n),
    applyMany: (tx, events) => post(tx, events, 1n),
    retract: (tx, event) => post(tx, [event], -1n),
  });
}

async function counted(sql: Sql): Promise<Pick<IndexerRunResult, "events" | "balances">> {
  const [row] = await sql<{ events: number; accounts: number; total: string }[]>`
    SELECT (SELECT count(*)::int FROM chain_event) AS events, count(*)::int AS accounts,
      sum(abs(balance))::text AS total
    FROM bench_balance`;
  if (!row) throw new Error("nothing was counted");
  return { events: row.events, balances: { accounts: row.accounts, total: row.total } };
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

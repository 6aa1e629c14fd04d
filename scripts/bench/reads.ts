// How long every read takes as the payments and all that comes with them grow, and what the slowest one costs the intake.
//   npm run bench:reads [-- --json --rows 10000,100000]
import { join } from "node:path";
import { migrations } from "#offchain/app/migrations.ts";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { openDatabase, type Sql } from "#offchain/platform/database/database.ts";
import { startPostgres } from "#offchain/platform/database/postgres.ts";
import { chainId, operator } from "../soak/wallets.ts";
import type { Stack } from "../stack/stack.ts";
import { count, counts, median, round, spread } from "./parts/figures.ts";
import { send } from "./parts/load.ts";
import { askedOf, type Question, questions, readsAll } from "./parts/reads/questions.ts";
import { addRows } from "./parts/reads/rows.ts";
import { onStack, unlimited } from "./parts/stack.ts";
import { assertAccepted, type Channel, openChannels, sign, submitBatches } from "./parts/vouchers.ts";

const help = `npm run bench:reads [-- options]

Every read that goes over HTTP, made from the list of actions, each with what it must have and with each field that it may
have besides, one after another, on tables that SQL has filled as if so many strangers had been here. Then the vouchers
that are accepted per second while one client repeats the slowest read, over those that are accepted without it. Not the
reconciliation: all who ask for it share one run, and whoever has waited ten seconds gets the answer before.

  --rows <list>    payments, and about as many agents, channels, accounts, events… (default 10000,100000; up to
                   10000000, which takes some ten gigabytes of the disk and most of an hour)
  --requests <n>   of each read, at most (default 30)
  --seconds <s>    for each read, at most (default 3)
  --vouchers <n>   in each of the six runs of the intake (default 10000)
  --json           one JSON object as the last line`;

const values = readCommand(help, {
  rows: { type: "string", default: "10000,100000" },
  requests: { type: "string", default: "30" },
  seconds: { type: "string", default: "3" },
  vouchers: { type: "string", default: "10000" },
  json: { type: "boolean", default: false },
});

const channelCount = 8;
const batchSize = 100;
const rounds = 3;
/** Rows that one transaction adds; a multiple of a batch of theirs. */
const atMost = 500_000;

interface Wanted {
  readonly rows: readonly number[];
  readonly requests: number;
  readonly readMs: number;
  readonly vouchers: number;
}

type Spread = ReturnType<typeof spread>;

await main({
  rows: counts("rows", values.rows),
  requests: count("requests", values.requests),
  readMs: count("seconds", values.seconds) * 1_000,
  vouchers: count("vouchers", values.vouchers),
});

async function main(wanted: Wanted): Promise<void> {
  // Batches do not close while the intake is measured.
  const env = { ...unlimited, BURSAR_BATCH_SIZE: "1000000", BURSAR_BATCH_MIN_AMOUNT: "1000000" };
  const figures = await onStack("reads", { env }, (stack) => measure(stack, wanted));
  console.table(
    Object.fromEntries(
      Object.entries(figures.routes).map(([path, byRows]) => [
        path,
        Object.fromEntries(
          Object.entries(byRows).map(([rows, { p50Ms, p99Ms }]) => [rows, `${p50Ms} / ${p99Ms}`]),
        ),
      ]),
    ),
  );
  const { routes: _, slowest, ...others } = figures;
  console.table({ ...others, ...slowest });
  if (values.json) console.log(JSON.stringify(figures));
}

async function measure(stack: Stack, wanted: Wanted) {
  const channels = await openChannels(stack, channelCount);
  // The server is the service's own, and so is its end.
  const { connection } = await startPostgres({ dataDir: join(stack.dataDir, "postgres") });
  const sql = await openDatabase({ connection, maxConnections: 1, migrations });
  try {
    const routes: Record<string, Record<string, Spread>> = {};
    const asked = questions();
    /** What the samples ask for is not there, or is asked otherwise. */
    const refused = new Set<string>();
    let there = 0;
    for (const rows of wanted.rows) {
      await fill(sql, there, rows);
      there = rows;
      console.error(`${asked.length} reads on ${rows} rows`);
      for (const question of asked) {
        const { path } = question;
        const { isRefused, figures } = await timesOf(stack, question, wanted);
        routes[path] = { ...routes[path], [rows]: figures };
        if (isRefused) refused.add(path);
      }
    }
    const slowest = slowestOf(asked, ({ path }) => routes[path]?.[there]?.p50Ms ?? 0);
    console.error(`vouchers alone, and while ${slowest.path} is repeated`);
    return {
      routes,
      reads: asked.length,
      readsRefused: refused.size,
      slowest: { [slowest.path]: routes[slowest.path]?.[there]?.p50Ms ?? 0 },
      ...(await intakeBeside(stack, channels, slowest, wanted.vouchers)),
    };
  } finally {
    await sql.end();
  }
}

/** Among the reads that are done anew for whoever asks. */
function slowestOf(asked: readonly Question[], timeOf: (question: Question) => number): Question {
  const anew = asked.filter(({ path }) => !readsAll.has(path));
  return anew.reduce((slow, one) => (timeOf(one) > timeOf(slow) ? one : slow));
}

async function fill(sql: Sql, there: number, rows: number): Promise<void> {
  console.error(`filling up to ${rows} rows`);
  for (let from = there; from < rows; from += atMost)
    await addRows(sql, from + 1, Math.min(from + atMost, rows));
}

/** Signed anew each time, which is not measured. */
async function read(stack: Stack, question: Question): Promise<{ tookMs: number; isRefused: boolean }> {
  const service = { url: stack.apiUrl, chainId };
  const prepared = await askedOf(question, service, { agent: operator, operator });
  const startedAt = performance.now();
  const status = await send(prepared);
  const tookMs = performance.now() - startedAt;
  // Some samples ask for what is not there, which is an answer as well; what reads everything may have none yet.
  if (status >= 500 && !readsAll.has(question.path)) throw new Error(`${question.path} answered ${status}`);
  return { tookMs, isRefused: status >= 400 };
}

async function timesOf(stack: Stack, question: Question, { requests, readMs }: Wanted) {
  const { isRefused } = await read(stack, question);
  const times: number[] = [];
  const until = performance.now() + readMs;
  while (times.length < requests && (times.length === 0 || performance.now() < until))
    times.push((await read(stack, question)).tookMs);
  return { isRefused, figures: spread(times) };
}

/** The rates by turns, so that what the machine does meanwhile befalls both. */
async function intakeBeside(stack: Stack, channels: Channel[], slowest: Question, vouchers: number) {
  const [alone, beside]: [number[], number[]] = [[], []];
  const submit = async () => {
    const signed = await sign(channels, Math.ceil(vouchers / channels.length));
    return () => submitBatches(stack.apiUrl, signed, batchSize);
  };
  await (await submit())();
  let reads = 0;
  for (let round = 0; round < rounds; round += 1) {
    const first = await submit();
    alone.push((await first()).perSecond);
    const second = await submit();
    let isOver = false;
    const reading = (async () => {
      for (; !isOver; reads += 1) await read(stack, slowest);
    })();
    const run = second().finally(() => {
      isOver = true;
    });
    const [{ perSecond }] = await Promise.all([run, reading]);
    beside.push(perSecond);
  }
  await assertAccepted(stack.apiUrl, channels);
  return {
    intakeShare: round(median(beside) / median(alone)),
    intakePerSecond: Math.round(median(alone)),
    intakeBesidePerSecond: Math.round(median(beside)),
    readsBeside: reads,
  };
}

// What a work ticket costs, from its allocation to its completion, as tickets grow ten times.
//   npm run bench:economy [-- --json --tickets 1000,10000]
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { migrations } from "#offchain/app/migrations.ts";
import { openCarbon } from "#offchain/features/carbon/carbon.ts";
import { openEnergy } from "#offchain/features/energy/energy.ts";
import type { TicketOutcome, TicketRequest } from "#offchain/features/energy/rules/ticket.ts";
import type { Energy } from "#offchain/features/energy/service.ts";
import { openLedger } from "#offchain/features/ledger/ledger.ts";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { openDatabase } from "#offchain/platform/database/database.ts";
import { startPostgres } from "#offchain/platform/database/postgres.ts";
import { accountOf } from "./parts/agents.ts";
import { processorMs } from "./parts/cpu.ts";
import { count, counts, median, round } from "./parts/figures.ts";
import { benchFolder } from "./parts/folder.ts";

const help = `npm run bench:economy [-- options]

Work tickets of one society, allocated and completed a group at a time by the energy feature's own service on a PostgreSQL
of its own, fsync on. So many are worked off first, and then a sample more is measured. The trust graph and the scheduler
are no features yet: their figures come with them.

  --tickets <list>   how many tickets there are when it is measured (default 1000,10000,100000)
  --sample <n>       tickets that are measured then, in five parts whose median counts (default 1000)
  --group <n>        tickets that are asked for at once (default 100)
  --json             one JSON object as the last line`;

const values = readCommand(help, {
  tickets: { type: "string", default: "1000,10000,100000" },
  sample: { type: "string", default: "1000" },
  group: { type: "string", default: "100" },
  json: { type: "boolean", default: false },
});

const parts = 5;
const clock = { now: () => Date.now() };
const owner = accountOf("owner").address;
const worker = accountOf("worker").address;
const [society, dayMs] = ["bench", 86_400_000];
/** µADP, all of which are charged, and the µW that vouch for them. */
const energyAmount = 100_000_000_000_000n;
const workMs = 1_000;

async function main(): Promise<void> {
  const sizes = counts("tickets", values.tickets);
  const sample = count("sample", values.sample);
  const group = count("group", values.group);
  const dataDir = await benchFolder("economy");
  const postgresDir = join(dataDir, "postgres");
  const server = await startPostgres({ dataDir: postgresDir });
  const sql = await openDatabase({ connection: server.connection, migrations });
  try {
    const ledger = openLedger(sql, clock);
    const energy = openEnergy(sql, clock, { ledger, carbon: openCarbon(sql, clock) });
    await found(energy);
    const jobs = new Workshop(energy, group);
    // Until the service's code is compiled.
    await jobs.work(Math.min(500, sizes[0] ?? 0));
    const tickets = [];
    for (const size of sizes) {
      console.error(`${size} tickets`);
      await jobs.work(size - jobs.done);
      // Those of the sample before are there as well.
      const there = jobs.done;
      const each = [];
      const before = await processorMs(postgresDir);
      for (let part = 0; part < parts; part += 1) each.push(await jobs.work(Math.ceil(sample / parts)));
      const processor = ((await processorMs(postgresDir)) ?? 0) - (before ?? 0);
      tickets.push({
        count: there,
        microsecondsEach: round(median(each)),
        // Unlike the time it does not depend on what else the machine does; 0 where there is no /proc.
        processorMicrosecondsEach: round((processor * 1_000) / (jobs.done - there)),
      });
    }
    console.table(tickets);
    if (values.json) console.log(JSON.stringify({ tickets, sample, group }));
  } finally {
    await sql.end();
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** A society with energy for all the work, of one meter. */
async function found(energy: Energy): Promise<void> {
  await energy.issue({ key: "first", society, owner, amount: energyAmount });
  const { source } = await energy.register(society, {
    kind: "grid",
    method: "utility API",
    provenAt: clock.now(),
    allocatedMicrowatts: energyAmount,
    meterId: "meter",
    accountId: "account",
    peakFactorBps: 10_000,
  });
  await energy.charge({
    key: "first",
    society,
    sourceId: source.id,
    amount: energyAmount,
    lifetimeMs: dayMs,
  });
}

class Workshop {
  readonly #energy: Energy;
  readonly #group: number;
  /** Tickets that were completed by now. */
  done = 0;

  constructor(energy: Energy, group: number) {
    this.#energy = energy;
    this.#group = group;
  }

  /** Works off so many tickets, a group at a time; gives what each took, µs. */
  async work(tickets: number): Promise<number> {
    const beganAt = performance.now();
    for (let left = tickets; left > 0; left -= this.#group) {
      const first = this.done;
      const size = Math.min(left, this.#group);
      const requests = Array.from({ length: size }, (_, at) => request(`ticket-${first + at}`));
      const allocated = idsOf(await this.#energy.allocateMany(requests));
      const completions = allocated.map((ticketId) => ({ ticketId, durationMs: workMs, qualityBps: 10_000 }));
      idsOf(await this.#energy.completeMany(completions));
      this.done += size;
    }
    return ((performance.now() - beganAt) * 1_000) / tickets;
  }
}

const request = (key: string): TicketRequest => ({
  key,
  society,
  worker,
  requester: null,
  computeType: "H100",
  durationMs: workMs,
  region: "us-east",
  profile: "legacy",
  description: "inference",
  timeoutMs: dayMs,
});

/** @throws BursarError the first refusal */
const idsOf = (outcomes: readonly TicketOutcome[]): string[] =>
  outcomes.map((outcome) => {
    if (!outcome.ok) throw outcome.error;
    return outcome.ticket.id;
  });

await main();

// Whether the tests would notice: small changes to the contracts, one at a time in a copy, and the share that a test kills.
//   npm run test:mutate [-- --count 150 --seed 1 --only Staking --json]
import { readdir, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { allMutants, type Mutant, sample } from "./mutate/mutants.ts";
import { type Verdict, Workshop } from "./mutate/workshop.ts";

const root = join(import.meta.dirname, "../..");
const help = `npm run test:mutate [-- options]

Flips comparisons, drops checks, modifiers and statements, swaps operands and changes constants in a copy of the
contracts (contracts/, but dev/ and interfaces/), and runs the Solidity tests that reach them. Each takes some seconds.

  --count <n>     mutants of the sample (default 150)
  --seed <text>   which sample (default 1); the same seed gives the same mutants of the same contracts
  --only <name>   only contracts whose path contains this
  --workers <n>   copies at work at once (default: a core each, but one)
  --list          only lists the mutants
  --json          one JSON object as the last line: mutants, killed, survivors, invalid (do not compile; not counted)`;

const values = readCommand(help, {
  count: { type: "string", default: "150" },
  seed: { type: "string", default: "1" },
  only: { type: "string", default: "" },
  workers: { type: "string", default: String(Math.max(1, availableParallelism() - 1)) },
  list: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
});

const outOfScope = /^contracts\/(dev|interfaces|generated)\//;

await main();

async function main(): Promise<void> {
  const files = (await readdir(join(root, "contracts"), { recursive: true }))
    .map((file) => join("contracts", file))
    .filter((file) => file.endsWith(".sol") && !outOfScope.test(file) && file.includes(values.only))
    .sort();
  const all = allMutants(root, files);
  const chosen = sample(all, values.seed, Number(values.count));
  console.error(
    `${chosen.length} of ${all.length} mutants of ${files.length} contracts, seed ${values.seed}`,
  );
  if (values.list) for (const mutant of chosen) console.log(describe(mutant));
  else await judgeAll(chosen);
}

async function judgeAll(chosen: readonly Mutant[]): Promise<void> {
  const folder = join(root, "data/mutants");
  const startedAt = performance.now();
  const verdicts = new Map<Mutant, Verdict>();
  const open = [...chosen];
  const work = async (worker: number) => {
    const workshop = await Workshop.open(root, join(folder, String(worker)));
    for (let mutant = open.shift(); mutant; mutant = open.shift()) {
      const verdict = await workshop.judge(mutant);
      verdicts.set(mutant, verdict);
      const minutes = (performance.now() - startedAt) / 60_000;
      const left = (minutes / verdicts.size) * (chosen.length - verdicts.size);
      console.error(
        `${verdicts.size}/${chosen.length} ${verdict.padEnd(8)} ${describe(mutant)}  (${left.toFixed(0)} min left)`,
      );
    }
  };
  await Promise.all(Array.from({ length: Number(values.workers) }, (_, worker) => work(worker)));
  await rm(folder, { recursive: true, force: true });
  report(chosen, verdicts);
}

function report(chosen: readonly Mutant[], verdicts: ReadonlyMap<Mutant, Verdict>): void {
  const of = (verdict: Verdict) => chosen.filter((mutant) => verdicts.get(mutant) === verdict);
  const [killed, survivors, invalid] = [of("killed"), of("survived"), of("invalid")];
  const mutants = killed.length + survivors.length;
  for (const mutant of survivors) console.log(`survived: ${describe(mutant)}`);
  console.log(
    `${killed.length} of ${mutants} killed (${((100 * killed.length) / mutants).toFixed(1)} %), ${invalid.length} did not compile`,
  );
  if (values.json)
    console.log(
      JSON.stringify({
        mutants,
        killed: killed.length,
        survivors: survivors.map(describe),
        invalid: invalid.length,
        seed: values.seed,
      }),
    );
}

function describe({ file, line, kind, before, after }: Mutant): string {
  const short = (text: string) => text.replaceAll(/\s+/g, " ").slice(0, 60) || "nothing";
  return `${file}:${line} ${kind}: ${short(before)} → ${short(after)}`;
}

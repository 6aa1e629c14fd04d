// Hostile requests to every action, through HTTP and in memory: none may break the service, an answer is as the API's
// description says, and what is refused changes nothing.
//   npm run fuzz [-- --requests 20000 --seed 1 --json]
import { rm } from "node:fs/promises";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { count } from "../bench/parts/figures.ts";
import { benchFolder } from "../bench/parts/folder.ts";
import { Campaign, heapGrowthMax } from "./campaign.ts";
import { openMachine } from "./machine.ts";
import { populate } from "./populate.ts";

const help = `npm run fuzz [-- options]

Values that some reader of some type has once stumbled over, in every field of every action, as anybody, an agent, a
stranger and the operator. The requests are made from the list of actions, so that a new one is asked as well. Wrong are
an answer of 5xx, one that breaks its schema in /openapi.json, none at all, a key that a refusal uses up, a table that
refusals change, and memory that grows.

  --requests <n>   default 20000
  --seed <n>       decides every request, but for what it takes out of earlier answers (default: the time)
  --port <n>       of the chain, or the next one that is free (default 27000)
  --json           one JSON object as the last line

Exit code 1 when something is wrong; each finding says how it was asked.`;

const values = readCommand(help, {
  requests: { type: "string", default: "20000" },
  seed: { type: "string", default: String(Date.now() % 2 ** 31) },
  port: { type: "string", default: "27000" },
  json: { type: "boolean", default: false },
});

const requests = count("requests", values.requests);
const seed = count("seed", values.seed);
const dataDir = await benchFolder("fuzz");
const machine = await openMachine({ dataDir, port: count("port", values.port) });
process.on("unhandledRejection", (error) => {
  console.error("a promise was refused that nobody waited for:", error);
  process.exitCode = 1;
});
try {
  const { operator, agents } = await populate(machine);
  console.error(`seed ${seed}`);
  const onProgress = (done: number) => console.error(`${done} of ${requests} requests`);
  const report = await new Campaign(machine, { requests, seed, operator, agents, onProgress }).run();
  const { findings, answers, ...figures } = report;
  console.table(answers);
  for (const finding of findings) console.error(finding);
  const grown = report.heap[1] - report.heap[0];
  console.table({ ...figures, heap: `${report.heap.join(" → ")} bytes`, findings: findings.length });
  if (values.json) console.log(JSON.stringify({ seed, ...report }));
  if (findings.length > 0 || report.changedByRefusals.length > 0 || grown > heapGrowthMax)
    process.exitCode = 1;
} finally {
  await machine.stop();
  await rm(dataDir, { recursive: true, force: true });
}

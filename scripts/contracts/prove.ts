// Proves the accounting kernels for every sequence of calls of any length, and that the proof would fail if they had a
// bug: solc's SMTChecker (constrained Horn clauses) with the Z3 of npm's z3-solver.
//   npm run prove [-- --only BudgetWindow --recorded --write --json]
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { init } from "z3-solver";
import { readCommand } from "#offchain/platform/commandLine.ts";

const require = createRequire(import.meta.url);
const solc = require("solc") as { compile(input: string): string };
const root = join(import.meta.dirname, "../..");
const answersPath = join(root, "test/contracts/proofs/answers.json");
const help = `npm run prove [-- options]

  --only <name>   only this kernel
  --recorded      solves only queries whose answer is not in test/contracts/proofs/answers.json
  --write         writes what was answered into that file
  --json          one JSON object as the last line

Each kernel of test/contracts/proofs is proved as it is, and must be refuted with each planted bug. That a kernel does
what its contract does is the matter of test/contracts/proofs/*.t.sol, which run both side by side.`;

interface Bug {
  readonly what: string;
  readonly from: string;
  readonly to: string;
}

/** The kernels, and the bugs that a proof must not miss. */
const kernels: Readonly<Record<string, readonly Bug[]>> = {
  ChannelAccount: [
    {
      what: "claims beyond the balance",
      from: "total > totalClaimed && total <= balance",
      to: "total > totalClaimed",
    },
    {
      what: "a withdrawal ignores claims",
      from: "uint256 unclaimed = balance - totalClaimed;\n        require((amount == pending",
      to: "uint256 unclaimed = balance;\n        require((amount == pending",
    },
    {
      what: "a refund is not booked",
      from: "        balance -= amount;\n        paidBack += amount;\n    }\n\n    function check",
      to: "        balance -= amount;\n    }\n\n    function check",
    },
  ],
  SettlementTotals: [
    { what: "a payout is not remembered", from: "        totalSettled = totalClaimed;\n", to: "" },
    { what: "a claim leaves the channel's money", from: "        unclaimed -= rise;\n", to: "" },
  ],
  StakeTotals: [
    {
      what: "stake is withdrawn twice",
      from: "(delegatedUnbonding - amount, delegatedOut + amount)",
      to: "(delegatedUnbonding, delegatedOut + amount)",
    },
    { what: "a slash forgets unbonding stake", from: "        ownUnbonding -= fromUnbonding;\n", to: "" },
    {
      what: "a slash reaches delegated stake",
      from: "        ownUnbonding -= fromUnbonding;\n",
      to: "        delegated -= fromUnbonding;\n",
    },
    {
      what: "a reporter is paid beside what is burned",
      from: "        burned += amount - reward;\n",
      to: "        burned += amount;\n",
    },
    {
      what: "rewards are owed before they are funded",
      from: "require(earned <= reserve && shared <= earned);\n        reserve -= earned;",
      to: "require(earned <= reserve);",
    },
  ],
  SlashPeriod: [
    {
      what: "each slash is bounded for itself alone",
      from: "require(2 * (taken + amount) <= own + taken);",
      to: "require(2 * amount <= own);",
    },
    { what: "what was taken is not counted", from: "        taken += amount;\n", to: "" },
    {
      what: "a slash ends too early",
      from: "require(amount <= taken - takenSince);",
      to: "require(amount <= taken);",
    },
    {
      what: "a slash does not lower the stake",
      from: "        own -= amount;\n        taken += amount;",
      to: "        taken += amount;",
    },
  ],
  CreditLine: [
    {
      what: "a row adds all that it says",
      from: "        added = said - settled;\n",
      to: "        added += said;\n",
    },
    {
      what: "a demand leaves the open row as it is",
      from: "        if (!isSealed) added -= added < amount ? added : amount;\n",
      to: "",
    },
    { what: "a demand forgets what is sealed", from: "isSealed ? settled + added : settled", to: "settled" },
    { what: "a payment is bounded by what is settled alone", from: "settled - taken", to: "settled" },
  ],
  CreditTotals: [
    { what: "more is sealed than was received", from: " && settled + added <= received", to: "" },
    { what: "a demand forgets what is sealed", from: "isSealed ? settled + added : settled", to: "settled" },
    { what: "a payment is bounded by what was received", from: "settled - paid", to: "received - paid" },
  ],
  BudgetWindow: [
    {
      what: "a bucket is released too early",
      from: "        steps -= oldest;\n        oldest = middle;",
      to: "        steps -= oldest + middle;\n        oldest = 0;",
    },
    {
      what: "a charge is not counted",
      from: "        steps += amount;\n",
      to: "",
    },
    {
      what: "the limit is compared with one charge alone",
      from: "require(amount <= limit && steps <= limit - amount);",
      to: "require(amount <= limit);",
    },
  ],
};

/**
 * Z3's heuristics differ in what they find within the limit, so the second is asked when the first finds nothing.
 * (`fp.spacer.arith.solver 6` finds more, but it calls a kernel with a planted bug proved.)
 */
const strategies = ["(set-option :fp.spacer.order_children 1)", ""];
/**
 * Z3's own count of its work, at which it gives up: unlike a timeout it does not depend on the machine. The hardest
 * proof takes 8 million.
 */
const resourceLimit = 25_000_000;

type Outcome = "proved" | "refuted" | "unknown";

interface Row {
  kernel: string;
  variant: string;
  outcome: Outcome;
  wanted: Outcome;
  seconds: number;
}

const values = readCommand(help, {
  only: { type: "string" },
  recorded: { type: "boolean", default: false },
  write: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
});

/** What Z3 has answered, by {@link keyOf} of the query. */
type Answers = Record<string, Answer>;
type Answer = "proved" | "refuted";

await main();

async function main(): Promise<void> {
  const { Z3 } = await init();
  const recorded: Answers = values.recorded ? JSON.parse(await readFile(answersPath, "utf8")) : {};
  const answers: Answers = {};
  const rows: Row[] = [];
  for (const [kernel, bugs] of Object.entries(kernels)) {
    if (values.only !== undefined && values.only !== kernel) continue;
    const source = await readFile(join(root, "test/contracts/proofs", `${kernel}.sol`), "utf8");
    const variants = [{ what: "as it is", from: "", to: "" }, ...bugs];
    for (const { what, from, to } of variants) {
      if (!source.includes(from)) throw new Error(`${kernel} has no place for the bug: ${what}`);
      const startedAt = performance.now();
      const outcome = await decide(
        source.replace(from, () => to),
        kernel,
        (query) => answerOf(query, { z3: Z3, recorded, answers }),
      );
      const row: Row = {
        kernel,
        variant: what,
        outcome,
        wanted: from === "" ? "proved" : "refuted",
        seconds: Math.round((performance.now() - startedAt) / 100) / 10,
      };
      rows.push(row);
      console.error(
        `${row.outcome === row.wanted ? "✔" : "✘"} ${kernel}, ${what}: ${outcome} (${row.seconds} s)`,
      );
    }
  }
  const wrong = rows.filter(({ outcome, wanted }) => outcome !== wanted);
  console.table(rows);
  if (values.json) console.log(JSON.stringify({ rows, wrong: wrong.length }));
  if (values.write) await write(answers);
  const proved = rows.filter(({ outcome }) => outcome === "proved").length;
  console.log(
    `${proved} kernels proved, ${rows.length - proved - wrong.length} planted bugs refuted, ${wrong.length} wrong`,
  );
  // Z3's threads would keep the process alive.
  process.exit(wrong.length === 0 && rows.length > 0 ? 0 : 1);
}

/** Of one kernel alone: beside the answers about the others. */
async function write(answers: Answers): Promise<void> {
  const kept: Answers = values.only ? JSON.parse(await readFile(answersPath, "utf8")) : {};
  await writeFile(answersPath, `${JSON.stringify({ ...kept, ...answers }, null, 2)}\n`);
}

/** Proved if every assertion is, refuted if one is. */
async function decide(
  source: string,
  contract: string,
  ask: (query: string) => Promise<Outcome>,
): Promise<Outcome> {
  const outcomes = new Set<Outcome>();
  for (const query of queriesOf(source, contract)) outcomes.add(await ask(query));
  if (outcomes.size === 0) throw new Error(`${contract} asserts nothing`);
  if (outcomes.has("refuted")) return "refuted";
  return outcomes.has("unknown") ? "unknown" : "proved";
}

/** The recorded answer to exactly this query, or else Z3's, which is remembered. */
async function answerOf(
  query: string,
  { z3, recorded, answers }: { z3: Z3; recorded: Answers; answers: Answers },
): Promise<Outcome> {
  const key = keyOf(query, z3);
  const outcome = recorded[key] ?? (await answer(query, z3));
  if (outcome !== "unknown") answers[key] = outcome;
  return outcome;
}

/** Whatever an answer depends on: the query, the solver, and how it is asked. */
function keyOf(query: string, z3: Z3): string {
  const asked = JSON.stringify([z3.get_full_version(), resourceLimit, strategies, query]);
  return createHash("sha256").update(asked).digest("hex");
}

type Z3 = Awaited<ReturnType<typeof init>>["Z3"];

/** What the SMTChecker asks: one query for each assertion, in SMT-LIB 2. */
function queriesOf(source: string, contract: string): string[] {
  const input = {
    language: "Solidity",
    sources: { "kernel.sol": { content: source } },
    settings: {
      outputSelection: { "*": { "": ["ast"] } },
      modelChecker: {
        engine: "chc",
        solvers: ["smtlib2"],
        contracts: { "kernel.sol": [contract] },
        targets: ["assert"],
      },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as {
    errors?: { severity: string; formattedMessage: string }[];
    auxiliaryInputRequested?: { smtlib2queries: Record<string, string> };
  };
  const failed = output.errors?.find(({ severity }) => severity === "error");
  if (failed) throw new Error(failed.formattedMessage);
  return Object.values(output.auxiliaryInputRequested?.smtlib2queries ?? {});
}

/**
 * A satisfiable set of Horn clauses has an invariant under which the assertion holds; an unsatisfiable one has a trace
 * that breaks it.
 */
async function answer(query: string, z3: Z3): Promise<Outcome> {
  for (const strategy of strategies) {
    const context = z3.mk_context(z3.mk_config());
    const options = `(set-option :rlimit ${resourceLimit})\n${strategy}\n`;
    const said = await z3.eval_smtlib2_string(context, options + query);
    z3.del_context(context);
    if (said.startsWith("unsat")) return "refuted";
    if (said.startsWith("sat")) return "proved";
  }
  return "unknown";
}

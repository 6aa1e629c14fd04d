// What the pages say of tests: that the contracts' tests which they name, and those of the service, are there.
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Fault } from "./docs.ts";

const root = join(import.meta.dirname, "../..");

/** `test/kinds/scale.live.test.ts`: "one", "and another" */
const serviceTests = /`(test\/[\w./-]+\.test\.tsx?)`((?:[:,] "[^"|]+")+)/g;
/** `test_Verb_WhenCondition`, `testFuzz_…`, `invariant_…`, `check_…`, with the contract's name before it or not. */
const contractTest = /`(?:\w+\.)?((?:test(?:Fuzz)?|invariant|check)_\w+)`/g;

/** Tests that a page names and that are not there. A name of the service's tests is the text that the file gives it. */
export async function namedTestFaults(page: string, text: string): Promise<Fault[]> {
  const known = await contractTests();
  const faults: Fault[] = [];
  for (const [at, line] of text.split("\n").entries()) {
    const fault = (problem: string) => faults.push({ page, line: at + 1, problem });
    for (const [, name = ""] of line.matchAll(contractTest))
      if (!known.has(name)) fault(`there is no test ${name}`);
    for (const [, file = "", names = ""] of line.matchAll(serviceTests)) {
      const source = await readFile(join(root, file), "utf8").catch(() => "");
      for (const [named] of names.matchAll(/"[^"]+"/g))
        if (!source.includes(named)) fault(`${file} has no test ${named}`);
    }
  }
  return faults;
}

let names: Promise<ReadonlySet<string>> | undefined;

/** Every function of the contracts' tests; read once. */
function contractTests(): Promise<ReadonlySet<string>> {
  names ??= readContractTests();
  return names;
}

async function readContractTests(): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for await (const file of glob("test/contracts/**/*.sol", { cwd: root }))
    for (const [, name = ""] of (await readFile(join(root, file), "utf8")).matchAll(/\bfunction (\w+)/g))
      found.add(name);
  return found;
}

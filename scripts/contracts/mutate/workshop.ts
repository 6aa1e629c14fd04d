import { spawn } from "node:child_process";
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import type { Mutant } from "./mutants.ts";

/** What became of a mutant. `invalid` ones do not compile, and do not count. */
export type Verdict = "killed" | "survived" | "invalid";

const copied = [
  "contracts",
  "test/contracts",
  "hardhat.config.ts",
  // The configuration imports them.
  "scripts/ignition/gasMargin.ts",
  "scripts/contracts/leanBuild.ts",
  "package.json",
  "tsconfig.json",
];
/** A loop that no longer ends is as dead as a failing test. */
const timeoutMs = 240_000;
/** Enough for a mutant to show; the campaigns proper run elsewhere. */
const fuzzRuns = "24";

/** A copy of the contracts and their tests, in which one mutant at a time lives. */
export class Workshop {
  private readonly folder: string;
  private readonly imports: ReadonlyMap<string, ReadonlySet<string>>;

  private constructor(folder: string, imports: ReadonlyMap<string, ReadonlySet<string>>) {
    this.folder = folder;
    this.imports = imports;
  }

  static async open(root: string, folder: string): Promise<Workshop> {
    await rm(folder, { recursive: true, force: true });
    await mkdir(join(folder, "test"), { recursive: true });
    for (const path of copied) await cp(join(root, path), join(folder, path), { recursive: true });
    await symlink(join(root, "node_modules"), join(folder, "node_modules"));
    return new Workshop(folder, await testImports(folder));
  }

  /** Runs the nearest tests first and stops at the first that fails. */
  async judge(mutant: Mutant): Promise<Verdict> {
    const path = join(this.folder, mutant.file);
    const source = await readFile(path);
    const mutated = Buffer.concat([
      source.subarray(0, mutant.from),
      Buffer.from(mutant.after),
      source.subarray(mutant.until),
    ]);
    await writeFile(path, mutated);
    try {
      for (const tests of this.stages(mutant.file)) {
        const verdict = await this.run(tests);
        if (verdict !== "survived") return verdict;
      }
      return "survived";
    } finally {
      await writeFile(path, source);
    }
  }

  /** The tests that reach a contract: those named for it, then its folder's and the attacks on it, then all others. */
  stages(file: string): string[][] {
    const [name = "", folder = ""] = [
      /([^/]+)\.sol$/.exec(file)?.[1],
      dirname(file).replace(/^contracts\//, ""),
    ];
    const reaching = [...this.imports].flatMap(([test, imports]) => (imports.has(file) ? [test] : []));
    const isNamed = (test: string) =>
      new RegExp(`/${name}\\.(?!invariant|fuzz)[^/]*t\\.sol$`).test(test) && !test.includes("/attacks/");
    const isNear = (test: string) => test.includes(`/${folder}/`) || test.includes("/attacks/");
    const [named, near, far]: [string[], string[], string[]] = [[], [], []];
    for (const test of reaching.sort()) (isNamed(test) ? named : isNear(test) ? near : far).push(test);
    return [named, near, far].filter((stage) => stage.length > 0);
  }

  private run(tests: readonly string[]): Promise<Verdict> {
    const hardhat = join(this.folder, "node_modules/hardhat/dist/src/cli.js");
    const child = spawn(process.execPath, [hardhat, "test", "solidity", ...tests], {
      cwd: this.folder,
      env: { ...process.env, BURSAR_FUZZ_RUNS: fuzzRuns, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
    let isEndless = false;
    const timer = setTimeout(() => {
      isEndless = true;
      process.kill(-(child.pid ?? 0), "SIGKILL");
    }, timeoutMs);
    return new Promise((done, fail) => {
      child.once("close", (code) => {
        clearTimeout(timer);
        if (code === 0) done("survived");
        else if (output.includes("HHE910")) done("invalid");
        else if (isEndless || /^\s*[1-9]\d* failing$/m.test(output)) done("killed");
        // No test has failed, so none has noticed anything: counted as killed, a broken copy would kill every mutant.
        else fail(new Error(`the tests did not run in ${this.folder}:\n${output.slice(-2_000)}`));
      });
    });
  }
}

/** Of each Solidity test, every file that it imports, also by way of others. */
async function testImports(folder: string): Promise<Map<string, Set<string>>> {
  const known = new Map<string, string[]>();
  const importsOf = async (file: string): Promise<string[]> => {
    const found = known.get(file);
    if (found) return found;
    const text = await readFile(join(folder, file), "utf8");
    const paths = [...text.matchAll(/from "(\.[^"]+)"|import "(\.[^"]+)"/g)].map(([, one, other]) =>
      normalize(join(dirname(file), one ?? other ?? "")),
    );
    known.set(file, paths);
    return paths;
  };
  const tests = (await readdir(join(folder, "test/contracts"), { recursive: true }))
    .filter((file) => file.endsWith(".t.sol"))
    .map((file) => join("test/contracts", file));
  const all = new Map<string, Set<string>>();
  for (const test of tests) {
    const reached = new Set<string>();
    const open = [test];
    for (let file = open.pop(); file !== undefined; file = open.pop())
      for (const path of await importsOf(file))
        if (!reached.has(path)) {
          reached.add(path);
          open.push(path);
        }
    all.set(test, reached);
  }
  return all;
}

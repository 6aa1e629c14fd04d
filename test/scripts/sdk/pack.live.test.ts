import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blocksOf } from "../../../scripts/check/docs.ts";
import { giveAgent } from "../../../scripts/fund.ts";
import { pack } from "../../../scripts/sdk/pack.ts";
import { account, startTestStack, type TestStack } from "../../offchain/support/stack.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../../..");
/** Bytes of the client with all its verbs, minified, without viem; under review with every change. */
const clientBudgetBytes = 60_000;

let tarballs: Awaited<ReturnType<typeof pack>>;
let folder: string;
let stack: TestStack;

beforeAll(async () => {
  tarballs = await pack();
  folder = await mkdtemp(join(tmpdir(), "bursar-sdk-"));
  const project = { name: "an-agent", private: true, type: "module" };
  await writeFile(join(folder, "package.json"), JSON.stringify(project));
  const wanted = [tarballs.sdk, tarballs.contracts, "viem@2.57.1", "@types/node@24.19.2"];
  await run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", ...wanted], { cwd: folder });
  stack = await startTestStack();
});
afterAll(async () => {
  await stack?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

const compiler = {
  target: "ES2024",
  lib: ["ES2024", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
  types: ["node"],
  module: "NodeNext",
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  outDir: "built",
};

/** The agent of the README, with real addresses where a reader puts his own. */
async function readmeAgent(): Promise<string> {
  const blocks = blocksOf("README.md", await readFile(join(root, "README.md"), "utf8"));
  const agent = blocks.find(({ language, text }) => language === "ts" && text.includes("createAgent"));
  if (!agent) throw new Error("the README has no agent any more");
  return `${agent.text.replaceAll('"0x…"', JSON.stringify(account(8).address))}\nconsole.log(receipt.state);\n`;
}

describe("an agent in a project of its own, outside this repository", () => {
  it("type-checks strictly, and works against a running service", async () => {
    await stack.agent(8).register("Seller", "seller");
    await giveAgent({
      rpcUrl: stack.rpcUrl,
      agent: account(7).address,
      usdc: "100",
      budget: "50/day",
    });
    const code = (await readmeAgent()).replaceAll("http://127.0.0.1:4020", stack.apiUrl);
    await writeFile(join(folder, "agent.ts"), code);
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({ compilerOptions: compiler, files: ["agent.ts"] }),
    );
    await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder]);
    const key = account(7).getHdKey().privateKey ?? new Uint8Array();
    const { stdout } = await run(process.execPath, ["built/agent.js"], {
      cwd: folder,
      env: { ...process.env, AGENT_KEY: `0x${Buffer.from(key).toString("hex")}` },
    });
    // What the example prints itself, and what is asked of its receipt.
    expect(stdout.trim()).toMatch(/^\d+ proposed 0x[0-9a-f]{64}\naccepted$/);
  });

  it("is bundled for the browser, and what is not used stays out", async () => {
    const entry = join(folder, "page.js");
    await writeFile(
      entry,
      'import { createClient } from "@bursar/sdk/client"; createClient({ url: location.origin }).overview.show().then(console.log);',
    );
    const bundled = await bundle(entry);
    expect(bundled).not.toMatch(/node:/);
    expect(bundled.length).toBeLessThan(clientBudgetBytes);
    const agent = join(folder, "whole.js");
    await writeFile(agent, 'import { createAgent } from "@bursar/sdk"; console.log(createAgent);');
    expect(await bundle(agent)).not.toMatch(/["']node:/);
  });

  it("reads an ABI and an address of the contracts", async () => {
    const program =
      'import { treasuryAbi } from "@bursar/contracts/abi"; import { addresses } from "@bursar/contracts/addresses"; console.log(treasuryAbi.length > 50, addresses[31337].Treasury);';
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program], { cwd: folder });
    expect(stdout).toMatch(/^true 0x[0-9a-fA-F]{40}\n$/);
  });
});

/** As a bundler for pages builds it, minified. */
async function bundle(entry: string): Promise<string> {
  const out = `${entry}.out`;
  const flags = ["--bundle", "--minify", "--format=esm", "--platform=browser", "--external:viem"];
  await run(join(root, "node_modules/.bin/esbuild"), [entry, ...flags, `--outfile=${out}`]);
  return readFile(out, "utf8");
}

describe.each(["sdk", "contracts"] as const)("the package %s", (name) => {
  it("is found well-formed by publint", async () => {
    const { messages, pkg } = await publint({ pkgDir: join(root, "data/packages", name) });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  it("has types that every way of resolving them finds", async () => {
    const tarball = createPackageFromTarballData(new Uint8Array(await readFile(tarballs[name])));
    const { problems } = (await checkPackage(tarball)) as {
      problems: { kind: string; resolutionKind?: string }[];
    };
    // An ES module is no CommonJS module, and TypeScript 4's old resolution knows no `exports`: both are meant.
    const meant = problems.filter(
      ({ kind, resolutionKind }) =>
        kind !== "CJSResolvesToESM" && !(kind === "NoResolution" && resolutionKind === "node10"),
    );
    expect(meant).toEqual([]);
  });
});

// Writes contracts/generated/abi.ts from Hardhat's artifacts; with --check, fails if the file is stale.
// Run after `hardhat build`.
import { glob, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readCommand } from "#offchain/platform/commandLine.ts";

const root = join(import.meta.dirname, "../..");
const target = join(root, "contracts/generated/abi.ts");

/** The contracts that TypeScript speaks to, and the name of each ABI. */
const exported: Readonly<Record<string, string>> = {
  BatchSettlement: "batchSettlementAbi",
  Clearing: "clearingAbi",
  Erc3009DepositCollector: "erc3009DepositCollectorAbi",
  ParameterRegistry: "parameterRegistryAbi",
  ReceiptAnchor: "receiptAnchorAbi",
  Scopes: "scopesAbi",
  Staking: "stakingAbi",
  TestUSDC: "testUsdcAbi",
  Treasury: "treasuryAbi",
  TreasuryFactory: "treasuryFactoryAbi",
};

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

const values = readCommand("node scripts/contracts/generate.ts [--check]", {
  check: { type: "boolean", default: false },
});
const written = await readFile(target, "utf8").catch(() => "");
const wanted = await generate();

if (values.check) {
  if (written !== wanted) {
    console.error(
      "contracts/generated/abi.ts is stale: run `hardhat build && node scripts/contracts/generate.ts`",
    );
    process.exitCode = 1;
  }
} else if (written !== wanted) {
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, wanted);
  console.log("contracts/generated/abi.ts written");
}

async function generate(): Promise<string> {
  const sections = [
    "// Written by scripts/contracts/generate.ts from the compiler's artifacts. Do not edit.\n",
  ];
  for (const [contract, name] of Object.entries(exported)) {
    const items = (await readAbi(contract)).map(
      (item) => `  ${JSON.stringify(withoutInternalTypes(item))},\n`,
    );
    sections.push(`export const ${name} = [\n${items.join("")}] as const;\n`);
  }
  return sections.join("\n");
}

async function readAbi(contract: string): Promise<Json[]> {
  for await (const path of glob(`artifacts/contracts/**/${contract}.json`, { cwd: root })) {
    const artifact: { abi: Json[] } = JSON.parse(await readFile(join(root, path), "utf8"));
    return artifact.abi;
  }
  throw new Error(`no artifact of ${contract}: run \`hardhat build\` first`);
}

/** Solidity's own type names say nothing to a caller, and double the file. */
function withoutInternalTypes(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutInternalTypes);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "internalType")
      .map(([key, inner]) => [key, withoutInternalTypes(inner)]),
  );
}

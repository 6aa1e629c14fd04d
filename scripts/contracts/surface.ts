// Writes docs/contracts.md from the contracts' NatSpec, and test/contracts/surface.json, the ABI and the storage layout of
// each, so that a change to either is seen in review.
//   node scripts/contracts/surface.ts [--check]
// With --check it fails when a file is stale, or when something public says nothing of itself.
import { glob, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type Abi, type AbiParameter, toFunctionSelector } from "viem";
import { readCommand } from "#offchain/platform/commandLine.ts";

const values = readCommand("node scripts/contracts/surface.ts [--check]", {
  check: { type: "boolean", default: false },
});
const root = join(import.meta.dirname, "../..");
const docsPath = join(root, "docs/contracts.md");
const surfacePath = join(root, "test/contracts/surface.json");

interface Words {
  notice?: string;
}

interface Details {
  details?: string;
  params?: Record<string, string>;
  returns?: Record<string, string>;
  "custom:role"?: string;
}

/** What the compiler says of one contract. */
interface Compiled {
  abi: Abi;
  userdoc: Words & {
    methods?: Record<string, Words>;
    events?: Record<string, Words>;
    errors?: Record<string, Words[]>;
  };
  devdoc: Details & {
    title?: string;
    methods?: Record<string, Details>;
    events?: Record<string, Details>;
    errors?: Record<string, Details[]>;
  };
  storageLayout: { storage: { label: string; slot: string; offset: number; type: string }[] };
}

interface Node {
  id: number;
  name?: string;
  linearizedBaseContracts?: number[];
  nodes?: Node[];
}

interface Output {
  sources: Record<string, { ast: Node }>;
  contracts: Record<string, Record<string, Compiled>>;
  errors?: { severity: string; formattedMessage: string }[];
}

/** One public item of a contract, with all that its NatSpec says. */
interface Item {
  kind: "function" | "event" | "error";
  signature: string;
  shown: string;
  notice: string | undefined;
  details: Details;
}

/** OpenZeppelin's interfaces say what these do in `@dev` only; ERC-165, ERC-721 and ERC-1155 say the rest. */
const saidElsewhere = /^(supportsInterface|onERC(721|1155|1155Batch)Received)\(/;

const contracts = await compileAll();
const silent = contracts.flatMap(({ name, items }) =>
  items
    .filter(({ notice, shown }) => !notice && !saidElsewhere.test(shown))
    .map(({ shown }) => `${name}: ${shown}`),
);
const files = [
  { path: docsPath, text: document() },
  { path: surfacePath, text: `${JSON.stringify(surface(), null, 2)}\n` },
];

if (values.check) {
  for (const { path, text } of files)
    if ((await readFile(path, "utf8").catch(() => "")) !== text) {
      console.error(`${path.slice(root.length + 1)} is stale: run node scripts/contracts/surface.ts`);
      process.exitCode = 1;
    }
} else for (const { path, text } of files) await writeFile(path, text);
for (const line of silent) console.error(`says nothing of itself: ${line}`);
if (silent.length > 0) process.exitCode = 1;

async function compileAll() {
  const sources: Record<string, { content: string }> = {};
  for await (const path of glob("contracts/**/*.sol", { cwd: root }))
    if (!path.startsWith("contracts/dev/"))
      sources[path] = { content: await readFile(join(root, path), "utf8") };
  // Without code generation: what is asked for follows from the syntax tree.
  const input = {
    language: "Solidity",
    sources,
    settings: {
      evmVersion: "cancun",
      outputSelection: { "*": { "*": ["abi", "devdoc", "userdoc", "storageLayout"], "": ["ast"] } },
    },
  };
  const require = createRequire(import.meta.url);
  const { readFileSync } = await import("node:fs");
  const compiler: {
    compile(input: string, options: { import: (path: string) => { contents: string } }): string;
  } = require("solc");
  const read = (path: string) => ({
    contents: readFileSync(
      path.startsWith("@") ? require.resolve(path) : join(root, path.replace(/^\.\//, "")),
      "utf8",
    ),
  });
  const output = JSON.parse(compiler.compile(JSON.stringify(input), { import: read })) as Output;
  const failed = output.errors?.filter(({ severity }) => severity === "error") ?? [];
  if (failed.length > 0) throw new Error(failed.map(({ formattedMessage }) => formattedMessage).join("\n"));
  const nodes = Object.keys(sources).flatMap((path) => output.sources[path]?.ast.nodes ?? []);
  const declared = new Map(nodes.map((node) => [node.id, node]));
  /** What a contract gets from our own sources; what comes from OpenZeppelin is documented there. */
  const oursIn = (name: string) =>
    new Set(
      nodes
        .find((node) => node.name === name && node.linearizedBaseContracts)
        ?.linearizedBaseContracts?.flatMap((id) => declared.get(id)?.nodes ?? [])
        .flatMap((node) => node.name ?? []),
    );
  return Object.entries(output.contracts)
    .filter(([path]) => path in sources)
    .flatMap(([path, named]) =>
      Object.entries(named).map(([name, compiled]) => ({
        path,
        name,
        compiled,
        items: itemsOf(compiled, oursIn(name)),
      })),
    )
    .toSorted((one, other) => (one.path < other.path ? -1 : 1));
}

function itemsOf({ abi, userdoc, devdoc }: Compiled, ours: ReadonlySet<string>): Item[] {
  return abi.flatMap((item): Item[] => {
    if (item.type !== "function" && item.type !== "event" && item.type !== "error") return [];
    if (!ours.has(item.name)) return [];
    const signature = `${item.name}(${item.inputs.map(typeOf).join(",")})`;
    const shown = `${item.name}(${item.inputs.map(written).join(", ")})`;
    if (item.type === "function")
      return [
        {
          kind: "function",
          signature,
          shown:
            shown +
            (item.stateMutability === "nonpayable" ? "" : ` ${item.stateMutability}`) +
            (item.outputs.length > 0 ? ` → (${item.outputs.map(written).join(", ")})` : ""),
          notice: userdoc.methods?.[signature]?.notice,
          details: devdoc.methods?.[signature] ?? {},
        },
      ];
    const [words, details] =
      item.type === "event"
        ? [userdoc.events?.[signature], devdoc.events?.[signature]]
        : [userdoc.errors?.[signature]?.[0], devdoc.errors?.[signature]?.[0]];
    return [{ kind: item.type, signature, shown, notice: words?.notice, details: details ?? {} }];
  });
}

function typeOf(parameter: AbiParameter): string {
  if (!parameter.type.startsWith("tuple")) return parameter.type;
  const inner = (parameter as { components: readonly AbiParameter[] }).components.map(typeOf).join(",");
  return `(${inner})${parameter.type.slice("tuple".length)}`;
}

function written(parameter: AbiParameter): string {
  const struct = parameter.internalType?.replace(/^(struct|enum|contract) /, "").replace(/^\w+\./, "");
  return [struct ?? parameter.type, parameter.name].filter(Boolean).join(" ");
}

/** What owners of power and readers of code look for: contracts that are deployed, without what they inherit twice. */
function document(): string {
  const deployed = contracts.filter(
    ({ path, compiled }) => !path.includes("/interfaces/") && compiled.abi.length > 0,
  );
  return [
    "# Contracts",
    "",
    "Written by scripts/contracts/surface.ts from the contracts' NatSpec. Do not edit.",
    "",
    ...deployed.map(({ name }) => `- [${name}](#${name.toLowerCase()})`),
    "",
    ...deployed.flatMap(({ path, name, compiled, items }) => [
      `## ${name}`,
      "",
      `\`${path}\``,
      "",
      ...paragraphs(compiled.userdoc.notice, compiled.devdoc.details),
      ...section("Functions", items, "function"),
      ...section("Events", items, "event"),
      ...section("Errors", items, "error"),
    ]),
  ].join("\n");
}

function section(title: string, items: readonly Item[], kind: Item["kind"]): string[] {
  const chosen = items
    .filter((item) => item.kind === kind)
    .toSorted((one, other) => (one.shown < other.shown ? -1 : 1));
  if (chosen.length === 0) return [];
  return [
    `### ${title}`,
    "",
    ...chosen.flatMap(({ signature, shown, notice, details }) => [
      `- \`${shown}\`${kind === "function" ? ` \`${toFunctionSelector(signature)}\`` : ""}${
        details["custom:role"] ? ` (role: ${details["custom:role"]})` : ""
      }`,
      ...[notice, details.details].flatMap((text) => (text ? [`  ${oneLine(text)}`] : [])),
      ...Object.entries({ ...details.params, ...details.returns }).map(
        ([name, text]) => `  - \`${name}\`: ${oneLine(text)}`,
      ),
    ]),
    "",
  ];
}

function paragraphs(...texts: (string | undefined)[]): string[] {
  return texts.flatMap((text) => (text ? [oneLine(text), ""] : []));
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

function surface() {
  return Object.fromEntries(
    contracts
      .filter(({ path }) => !path.includes("/interfaces/"))
      .map(({ name, compiled, items }) => [
        name,
        {
          abi: items.map(({ kind, shown }) => `${kind} ${shown}`).toSorted(),
          storage: compiled.storageLayout.storage.map(
            ({ slot, offset, type, label }) =>
              `${slot}+${offset} ${type.replace(/\d+_storage/g, "_storage")} ${label}`,
          ),
        },
      ]),
  );
}

// Builds what others install: @bursar/sdk (ESM and types, for Node and the browser) and @bursar/contracts (Solidity, ABIs,
// addresses), as folders and tarballs in data/packages/.   npm run pack:sdk
import { execFileSync } from "node:child_process";
import { cp, glob, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, posix, relative } from "node:path";
import ts from "typescript";
import { packedPages } from "./pages.ts";

const root = join(import.meta.dirname, "../..");
const target = join(root, "data/packages");

interface Manifest {
  version: string;
  license: string;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}

/** What an agent may import, by the name under which it does: `@bursar/sdk`, `@bursar/sdk/states`, … */
const entries: Readonly<Record<string, string>> = {
  ".": "offchain/sdk/agent.ts",
  "./actions": "offchain/sdk/actions.ts",
  "./client": "offchain/sdk/client.ts",
  "./follow": "offchain/sdk/follow.ts",
  "./payingFetch": "offchain/sdk/payingFetch.ts",
  "./paymentStream": "offchain/sdk/paymentStream.ts",
  "./receipt": "offchain/sdk/receipt.ts",
  "./solvency": "offchain/sdk/solvency.ts",
  "./states": "offchain/sdk/states.ts",
};

/** Packs both. @returns the tarballs' paths */
export async function pack(): Promise<{ sdk: string; contracts: string }> {
  await rm(target, { recursive: true, force: true });
  const manifest: Manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  await packSdk(manifest);
  await packContracts(manifest);
  return { sdk: tarball("sdk"), contracts: tarball("contracts") };
}

async function packSdk(manifest: Manifest): Promise<void> {
  const folder = join(target, "sdk");
  const outputs = emit(Object.values(entries).map((file) => join(root, file)));
  for (const [path, text] of outputs) await write(join(folder, "dist", path), text);
  const used = packagesOf(outputs.values());
  const version = (name: string) => manifest.dependencies[name] ?? manifest.devDependencies[name] ?? "*";
  const isPeer = (name: string) => name === "viem";
  const versions = (names: string[]) =>
    Object.fromEntries(names.toSorted().map((name) => [name, version(name)]));
  const exported = Object.entries(entries).map(([name, file]) => {
    const built = `./dist/${builtOf(file)}`;
    return [name, { types: built.replace(/\.js$/, ".d.ts"), default: built }];
  });
  await writePackage(folder, {
    name: "@bursar/sdk",
    version: manifest.version,
    description: "Pay, spend and buy as an agent: the client of a Bursar service.",
    license: manifest.license,
    type: "module",
    sideEffects: false,
    engines: { node: ">=20.19" },
    exports: { ...Object.fromEntries(exported), "./package.json": "./package.json" },
    files: ["dist", "docs", "README.md", "LICENSE"],
    dependencies: versions(used.filter((name) => !isPeer(name))),
    peerDependencies: { viem: `^${version("viem")}` },
  });
  await writePages(folder, "sdk.md");
}

async function packContracts(manifest: Manifest): Promise<void> {
  const folder = join(target, "contracts");
  for await (const file of glob("contracts/**/*.sol", { cwd: root })) {
    const path = file.slice("contracts/".length);
    await write(join(folder, "src", path), await readFile(join(root, file), "utf8"));
  }
  for (const [path, text] of emit(
    ["abi", "addresses"].map((name) => join(root, `contracts/generated/${name}.ts`)),
  ))
    await write(join(folder, "dist", posix.basename(path)), text);
  const exported = (name: string) => ({ types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` });
  await writePackage(folder, {
    name: "@bursar/contracts",
    version: manifest.version,
    description: "Bursar's contracts: Solidity sources, ABIs and addresses.",
    license: manifest.license,
    type: "module",
    sideEffects: false,
    exports: {
      "./abi": exported("abi"),
      "./addresses": exported("addresses"),
      "./src/*": "./src/*",
      "./package.json": "./package.json",
    },
    files: ["dist", "src", "README.md", "LICENSE"],
    peerDependencies: {
      "@openzeppelin/contracts": `^${manifest.devDependencies["@openzeppelin/contracts"]}`,
    },
  });
  await writePages(folder, "contracts.md");
}

async function writePages(folder: string, main: string): Promise<void> {
  for (const [path, text] of await packedPages(join(root, "docs"), main))
    await write(join(folder, path), text);
}

const builtOf = (file: string): string => file.replace(/^offchain\//, "").replace(/\.ts$/, ".js");

/** JavaScript and declarations of the files and of all that they import, by path, with plain relative imports. */
function emit(files: readonly string[]): Map<string, string> {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const outputs = new Map<string, string>();
  const program = ts.createProgram([...files], {
    ...options,
    noEmit: false,
    declaration: true,
    removeComments: false,
    allowImportingTsExtensions: false,
    rewriteRelativeImportExtensions: true,
    rootDir: root,
    outDir: "/",
  });
  const { diagnostics } = program.emit(undefined, (path, text) => {
    const local = path.replace(/^\/+/, "").replace(/^offchain\//, "");
    outputs.set(local, resolved(local, text));
  });
  const [first] = diagnostics.filter(({ category }) => category === ts.DiagnosticCategory.Error);
  if (first) throw new Error(ts.flattenDiagnosticMessageText(first.messageText, "\n"));
  return outputs;
}

/** `#offchain/core/unit.ts` and `./unit.ts` as the built files have them. */
function resolved(path: string, text: string): string {
  const from = posix.dirname(path);
  return text
    .replace(/(["'])#offchain\/([^"']+)\.ts\1/g, (_, quote: string, name: string) => {
      const to = posix.relative(from, `${name}.js`);
      return `${quote}${to.startsWith(".") ? to : `./${to}`}${quote}`;
    })
    .replace(/((?:from|import\()\s*["']\.{1,2}\/[^"']+)\.ts(["'])/g, "$1.js$2");
}

/** The packages that the built files import. */
function packagesOf(texts: Iterable<string>): string[] {
  const found = new Set<string>();
  for (const text of texts)
    for (const [, name = ""] of text.matchAll(/(?:from|import\()\s*["']((?:@[\w-]+\/)?[\w-]+)[^"']*["']/g))
      if (!name.startsWith("node")) found.add(name);
  return [...found];
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

async function writePackage(folder: string, manifest: object): Promise<void> {
  await write(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  await cp(join(root, "LICENSE"), join(folder, "LICENSE"));
}

function tarball(name: string): string {
  const output = execFileSync("npm", ["pack", "--silent", "--pack-destination", target], {
    cwd: join(target, name),
    encoding: "utf8",
  });
  return join(target, output.trim().split("\n").at(-1) ?? "");
}

if (import.meta.main)
  for (const path of Object.values(await pack())) console.log(relative(process.cwd(), path));

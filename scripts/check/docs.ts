// Type-checks every TypeScript block of README and docs as an agent's own project would see it, parses the others, and
// fails for a command, a file or a test that is not there, and for edges of features that are drawn and not so.
//   node scripts/check/docs.ts
import { access, glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import ts from "typescript";
import { namedTestFaults } from "./namedTests.ts";
import { edgeFaults, listedEdges, namedFileFaults } from "./places.ts";

const root = join(import.meta.dirname, "../..");

export interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

export interface Fault {
  readonly page: string;
  readonly line: number;
  readonly problem: string;
}

/** The fenced blocks of a page. A comment `<!-- given: … -->` is code that stands before them when they are checked. */
export function blocksOf(page: string, text: string): Block[] {
  const line = (at: number) => text.slice(0, at).split("\n").length;
  const fenced = [...text.matchAll(/^```(\w*)[^\n]*\n([\s\S]*?)^```$/gm)].map((match) => ({
    page,
    line: line(match.index) + 1,
    language: match[1] ?? "",
    text: match[2] ?? "",
  }));
  const given = [...text.matchAll(/<!-- given: ([\s\S]*?) -->/g)].map((match) => ({
    page,
    line: line(match.index),
    language: "ts",
    text: `${match[1]}\n`,
  }));
  return [...given, ...fenced];
}

/** The TypeScript of each page, as one module: its blocks follow each other as a reader reads them. */
export function typeFaults(blocks: readonly Block[]): Fault[] {
  const pages = Map.groupBy(
    blocks.filter(({ language }) => language === "ts"),
    ({ page }) => page,
  );
  const modules = new Map(
    [...pages].map(([page, parts]) => [join(root, `${page}.check.ts`), { page, parts, ...joined(parts) }]),
  );
  const program = programOf(new Map([...modules].map(([path, { source }]) => [path, source])));
  return [...modules].flatMap(([path, { page, lines }]) => {
    const file = program.getSourceFile(path);
    return ts.getPreEmitDiagnostics(program, file).map(({ messageText, start = 0 }) => ({
      page,
      line: lines[file?.getLineAndCharacterOfPosition(start).line ?? 0] ?? 0,
      problem: ts.flattenDiagnosticMessageText(messageText, " "),
    }));
  });
}

/** Imports first, wherever a block has them; and which line of the page each line of the module is. */
function joined(parts: readonly Block[]): { source: string; lines: number[] } {
  const rows = parts.flatMap(({ text, line }) =>
    text.split("\n").map((row, at) => ({ row, line: line + at })),
  );
  const ordered = [
    ...rows.filter(({ row }) => row.startsWith("import ")),
    ...rows.filter(({ row }) => !row.startsWith("import ")),
  ];
  return {
    source: `${ordered.map(({ row }) => row).join("\n")}\nexport {};\n`,
    lines: ordered.map(({ line }) => line),
  };
}

function programOf(sources: ReadonlyMap<string, string>): ts.Program {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const wanted: ts.CompilerOptions = {
    ...options,
    lib: ["lib.es2024.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts", "lib.dom.asynciterable.d.ts"],
    paths: {
      "@bursar/sdk": [join(root, "offchain/sdk/agent.ts")],
      "@bursar/sdk/*": [join(root, "offchain/sdk/*.ts")],
      "@bursar/contracts/*": [join(root, "contracts/generated/*.ts")],
    },
  };
  const host = ts.createCompilerHost(wanted);
  const { getSourceFile, fileExists, readFile: read } = host;
  host.fileExists = (name) => sources.has(name) || fileExists(name);
  host.readFile = (name) => sources.get(name) ?? read(name);
  host.getSourceFile = (name, ...rest) => {
    const source = sources.get(name);
    return source === undefined
      ? getSourceFile(name, ...rest)
      : ts.createSourceFile(name, source, ts.ScriptTarget.ESNext, true);
  };
  return ts.createProgram([...sources.keys()], wanted, host);
}

/** Blocks of other languages: JSON is parsed, and a command's script or file is there. */
export async function otherFaults(
  blocks: readonly Block[],
  scripts: Readonly<Record<string, string>>,
): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (const { page, line, language, text } of blocks) {
    const fault = (problem: string) => faults.push({ page, line, problem });
    if (language === "json" && !isJson(text)) fault("it is no JSON");
    if (language === "sh")
      for (const [, name = ""] of text.matchAll(/npm (?:run )?([\w:]+)/g))
        if (!npmVerbs.has(name) && !(name in scripts)) fault(`there is no npm script ${name}`);
    if (language === "sh")
      for (const [, file = ""] of text.matchAll(/\bnode (?:--\S+ )*([\w/.]+\.m?ts)/g))
        if (!(await isThere(file))) fault(`there is no ${file}`);
    if (!known.has(language)) fault(`a block in ${language || "no language"} is checked by nobody`);
  }
  return faults;
}

/** npm's own. */
const npmVerbs = new Set(["init", "install", "pkg"]);

/** What is checked here, and what only draws (mermaid) or shows an answer (text, http, promql). */
const known = new Set(["ts", "sh", "json", "mermaid", "text", "http", "promql"]);

const isThere = (file: string) =>
  access(join(root, file)).then(
    () => true,
    () => false,
  );

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

if (import.meta.main) {
  const blocks: Block[] = [];
  const said: Fault[] = [];
  for await (const page of glob(["*.md", "docs/**/*.md", "test/INVARIANTS.md"], { cwd: root })) {
    const text = await readFile(join(root, page), "utf8");
    blocks.push(...blocksOf(page, text));
    said.push(...(await namedFileFaults(page, text)), ...(await namedTestFaults(page, text)));
    if (page === "docs/architecture.md") said.push(...edgeFaults(page, text, listedEdges()));
  }
  const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const faults = [...said, ...typeFaults(blocks), ...(await otherFaults(blocks, scripts))];
  for (const { page, line, problem } of faults) console.error(`${page}:${line}: ${problem}`);
  console.log(`${blocks.length} blocks of code checked`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}

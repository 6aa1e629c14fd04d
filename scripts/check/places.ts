// What the pages say of the project's own places: the files that they name, and the features' edges that they draw.
import { access, glob } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Fault } from "./docs.ts";

const root = join(import.meta.dirname, "../..");

/** A file in a folder, by its ending. What stands in the middle of an address or a package's name is none of ours. */
const path = /(?<![\w/@.:>{}<-])(?:[\w.*-]+\/)+[\w.*-]*\.(?:tsx?|md|sol|json|cjs|mjs|sql|svg|png)\b/g;

/** Where a page's paths begin: at the root, among the service's sources, or beside the page. */
const startsOf = (page: string) => ["", "offchain", dirname(page)];

/** Contracts that only show how a contract is called. */
const isExample = (file: string) => /\/I?Thing\./.test(file);

/** Files that a page names and that are not there. A star stands for any part of a name. */
export async function namedFileFaults(page: string, text: string): Promise<Fault[]> {
  const faults: Fault[] = [];
  const missing = new Map<string, Promise<boolean>>();
  for (const [at, line] of text.split("\n").entries())
    for (const [file] of line.matchAll(path)) {
      if (isExample(file)) continue;
      const isMissing = missing.get(file) ?? isNowhere(file, startsOf(page));
      missing.set(file, isMissing);
      if (await isMissing) faults.push({ page, line: at + 1, problem: `there is no ${file}` });
    }
  return faults;
}

async function isNowhere(file: string, starts: readonly string[]): Promise<boolean> {
  for (const start of starts) if (await isThere(join(root, start), file)) return false;
  return true;
}

async function isThere(folder: string, file: string): Promise<boolean> {
  if (!file.includes("*"))
    return access(join(folder, file)).then(
      () => true,
      () => false,
    );
  for await (const _ of glob(file, { cwd: folder })) return true;
  return false;
}

/** Every `from → to` of the features, as `.dependency-cruiser.cjs` lists them. */
export function listedEdges(): string[] {
  const { forbidden } = createRequire(import.meta.url)(join(root, ".dependency-cruiser.cjs")) as {
    forbidden: { name: string; to: { pathNot?: string | string[] } }[];
  };
  return forbidden.flatMap(({ name, to }) => {
    const from = /^(\w+)-listed-edges$/.exec(name)?.[1];
    if (from === undefined) return [];
    const others = [to.pathNot ?? []].flat().map((one) => /^\^offchain\/features\/(\w+)\//.exec(one)?.[1]);
    return others.flatMap((other) => (other === undefined || other === from ? [] : [`${from} → ${other}`]));
  });
}

/** The edges inside `subgraph features` of a drawing: `a --> b & c`. */
export function drawnEdges(text: string): string[] {
  const drawing = /subgraph features[^\n]*\n([\s\S]*?)\n\s*end\b/.exec(text)?.[1] ?? "";
  return [...drawing.matchAll(/^\s*(\w+) --> (.+)$/gm)].flatMap(([, from = "", others = ""]) =>
    others.split("&").map((other) => `${from} → ${other.trim()}`),
  );
}

/** Edges that are drawn and not listed, or listed and not drawn. */
export function edgeFaults(page: string, text: string, listed: readonly string[]): Fault[] {
  const drawn = drawnEdges(text);
  const line = text.split("\n").findIndex((row) => row.includes("subgraph features")) + 1;
  const only = (some: readonly string[], others: readonly string[], problem: string) =>
    some
      .filter((edge) => !others.includes(edge))
      .map((edge) => ({ page, line, problem: `${edge} ${problem}` }));
  return [
    ...only(drawn, listed, "is drawn, and not listed in .dependency-cruiser.cjs"),
    ...only(listed, drawn, "is listed in .dependency-cruiser.cjs, and not drawn"),
  ];
}

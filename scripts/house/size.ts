import ts from "typescript";
import { lineOf, nodesOf, type Parsed, type SourceText, type Violation, violation } from "./file.ts";

export const limits = { functionLines: 70, fileLines: 400, folderEntries: 15 } as const;

/** A length, and what has it. */
export interface Measure {
  readonly place: string;
  readonly size: number;
}

/** Tests are told in blocks as long as their story; what is told in them is held short. */
const isMeasured = ({ path }: SourceText) => !path.startsWith("test/");

export function functionsOf(file: Parsed): (Measure & { readonly node: ts.Node })[] {
  if (!isMeasured(file)) return [];
  return [...nodesOf(file.tree)].flatMap((node) => {
    if (!ts.isFunctionLike(node) || !("body" in node) || !node.body) return [];
    const size = lineOf(file.tree, node.end) - lineOf(file.tree, node.getStart(file.tree)) + 1;
    return [{ place: `${file.path} ${nameOfFunction(node)}`, size, node }];
  });
}

function nameOfFunction(node: ts.SignatureDeclaration): string {
  if (node.name) return node.name.getText();
  const { parent } = node;
  return ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)
    ? parent.name.getText()
    : "(unnamed)";
}

export const longFunctions = (file: Parsed): Violation[] =>
  functionsOf(file)
    .filter(({ size }) => size > limits.functionLines)
    .map(({ place, size, node }) =>
      violation(
        `a function has at most ${limits.functionLines} lines`,
        file,
        node,
        `${place.split(" ").at(-1)} has ${size}`,
      ),
    );

export const linesOf = ({ path, text }: SourceText): Measure => ({
  place: path,
  size: text.split("\n").length - (text.endsWith("\n") ? 1 : 0),
});

export function longFile(file: SourceText): Violation[] {
  const { size } = linesOf(file);
  if (size <= limits.fileLines) return [];
  const rule = `a file has at most ${limits.fileLines} lines`;
  return [{ rule, place: file.path, found: `${size} lines` }];
}

/** A feature is found by its name and a test by its source: these folders grow with the project. */
const isFreeFolder = (folder: string) => /(^|\/)features$/.test(folder) || /^test(\/|$)/.test(folder);

/** How many entries each folder has, counted from the files' paths. */
export function foldersOf(paths: readonly string[]): Measure[] {
  const entries = new Map<string, Set<string>>();
  for (const path of paths) {
    const parts = path.split("/");
    for (let depth = 1; depth < parts.length; depth += 1) {
      const folder = parts.slice(0, depth).join("/");
      const known = entries.get(folder) ?? new Set();
      entries.set(folder, known.add(parts[depth] ?? ""));
    }
  }
  return [...entries]
    .filter(([folder]) => !isFreeFolder(folder))
    .map(([place, { size }]) => ({ place, size }));
}

export const largeFolders = (paths: readonly string[]): Violation[] =>
  foldersOf(paths)
    .filter(({ size }) => size > limits.folderEntries)
    .map(({ place, size }) => ({
      rule: `a folder has at most ${limits.folderEntries} entries`,
      place,
      found: `${size} entries`,
    }));

export const largest = (measures: readonly Measure[]): Measure =>
  measures.reduce((most, one) => (one.size > most.size ? one : most), { place: "none", size: 0 });

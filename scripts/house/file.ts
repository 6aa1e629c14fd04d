import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import ts from "typescript";

/** One source file as the rules see it. */
export interface SourceText {
  /** From the repository's root, with slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Parsed extends SourceText {
  readonly tree: ts.SourceFile;
}

/** A rule that a file or folder breaks, and where. */
export interface Violation {
  readonly rule: string;
  /** `path:line`, or the folder. */
  readonly place: string;
  readonly found: string;
}

/** The project's files: the sources and migrations with their text, and the paths of all. */
export interface Project {
  readonly sources: readonly SourceText[];
  readonly migrations: readonly SourceText[];
  readonly paths: readonly string[];
}

const roots = ["contracts", "offchain", "web", "scripts", "test"];
const skipped = new Set(["node_modules", ".next", "generated"]);

export async function readProject(root: string): Promise<Project> {
  const paths = (await Promise.all(roots.map((folder) => pathsIn(root, folder)))).flat();
  const read = (ending: RegExp): Promise<SourceText[]> =>
    Promise.all(
      paths
        .filter((path) => ending.test(path))
        .map(async (path) => ({ path, text: await readFile(join(root, path), "utf8") })),
    );
  return { paths, sources: await read(/\.tsx?$/), migrations: await read(/\.sql$/) };
}

async function pathsIn(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  const found = entries
    .filter(({ name }) => !skipped.has(name))
    .map((entry) =>
      entry.isDirectory() ? pathsIn(root, `${folder}/${entry.name}`) : [`${folder}/${entry.name}`],
    );
  return (await Promise.all(found)).flat();
}

export const parse = (source: SourceText): Parsed => ({
  ...source,
  tree: ts.createSourceFile(source.path, source.text, ts.ScriptTarget.Latest, true),
});

/** Every node of the tree, each after the one that it stands in. */
export function* nodesOf(node: ts.Node): Generator<ts.Node> {
  yield node;
  // getChildren would also give the tokens: forEachChild gives what the tree means.
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => void children.push(child));
  for (const child of children) yield* nodesOf(child);
}

export const lineOf = (tree: ts.SourceFile, position: number): number =>
  tree.getLineAndCharacterOfPosition(position).line + 1;

export const violation = (rule: string, file: Parsed, node: ts.Node, found: string): Violation => ({
  rule,
  place: `${file.path}:${lineOf(file.tree, node.getStart(file.tree))}`,
  found,
});

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);

/** One small change of one contract: bytes `from` to `until` of `file` become `after`. */
export interface Mutant {
  readonly id: string;
  readonly file: string;
  readonly line: number;
  readonly kind: Kind;
  readonly from: number;
  readonly until: number;
  readonly before: string;
  readonly after: string;
}

export type Kind =
  | "comparison"
  | "arithmetic"
  | "logic"
  | "swap"
  | "require"
  | "modifier"
  | "constant"
  | "statement";

/** What solc's AST (`ast` of its standard JSON output) has of a node, as far as it is read here. */
interface Node {
  readonly nodeType: string;
  readonly src: string;
  readonly [name: string]: unknown;
}

const opposite: Readonly<Record<string, { kind: Kind; operators: readonly string[] }>> = {
  "<": { kind: "comparison", operators: ["<=", ">="] },
  "<=": { kind: "comparison", operators: ["<", ">"] },
  ">": { kind: "comparison", operators: [">=", "<="] },
  ">=": { kind: "comparison", operators: [">", "<"] },
  "==": { kind: "comparison", operators: ["!="] },
  "!=": { kind: "comparison", operators: ["=="] },
  "+": { kind: "arithmetic", operators: ["-"] },
  "-": { kind: "arithmetic", operators: ["+"] },
  "*": { kind: "arithmetic", operators: ["/"] },
  "/": { kind: "arithmetic", operators: ["*"] },
  "%": { kind: "arithmetic", operators: ["*"] },
  "<<": { kind: "arithmetic", operators: [">>"] },
  ">>": { kind: "arithmetic", operators: ["<<"] },
  "&": { kind: "arithmetic", operators: ["|"] },
  "|": { kind: "arithmetic", operators: ["&"] },
  "&&": { kind: "logic", operators: ["||"] },
  "||": { kind: "logic", operators: ["&&"] },
  "+=": { kind: "arithmetic", operators: ["-=", "="] },
  "-=": { kind: "arithmetic", operators: ["+=", "="] },
};

/** Every mutant of the contracts, in the order of their files and places. */
export function allMutants(root: string, files: readonly string[]): Mutant[] {
  const asts = astsOf(root, files);
  return files.flatMap((file) => {
    const source = readFileSync(join(root, file));
    const ast = asts[file];
    if (!ast) throw new Error(`solc gave no AST of ${file}`);
    const found = new Found(file, source);
    visit(ast, (node, parents) => found.look(node, parents));
    return found.mutants;
  });
}

/** `count` of them that depend on nothing but the seed and the mutants themselves. */
export function sample(mutants: readonly Mutant[], seed: string, count: number): Mutant[] {
  const rank = ({ id }: Mutant) => createHash("sha256").update(`${seed} ${id}`).digest("hex");
  return mutants
    .map((mutant) => ({ mutant, rank: rank(mutant) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .slice(0, count)
    .map(({ mutant }) => mutant)
    .sort((a, b) => (a.file === b.file ? a.from - b.from : a.file < b.file ? -1 : 1));
}

class Found {
  readonly mutants: Mutant[] = [];
  private readonly file: string;
  private readonly source: Buffer;

  constructor(file: string, source: Buffer) {
    this.file = file;
    this.source = source;
  }

  look(node: Node, parents: readonly Node[]): void {
    const parent = parents.at(-1);
    if (node.nodeType === "BinaryOperation") this.operation(node, "leftExpression", "rightExpression");
    else if (node.nodeType === "Assignment" && node.operator !== "=")
      this.operation(node, "leftHandSide", "rightHandSide");
    else if (node.nodeType === "UnaryOperation" && node.operator === "!") {
      const [from] = range(node);
      this.add("logic", from, from + 1, "");
    } else if (node.nodeType === "UnaryOperation" && (node.operator === "++" || node.operator === "--"))
      this.within(node, "arithmetic", String(node.operator), node.operator === "++" ? "--" : "++");
    else if (node.nodeType === "IfStatement" && isRevert(node.trueBody as Node))
      this.replace("require", node.condition as Node, "false");
    else if (node.nodeType === "ModifierInvocation" && parent?.kind !== "constructor")
      this.replace("modifier", node, "");
    else if (node.nodeType === "Literal" && node.kind === "number") this.constant(node);
    else if (
      node.nodeType === "EmitStatement" ||
      (isPlainStatement(node) && parent?.nodeType !== "ForStatement")
    )
      this.replace("statement", node, "if (false) {}", true);
  }

  private operation(node: Node, left: string, right: string): void {
    const [one, other] = [node[left] as Node, node[right] as Node];
    const rule = opposite[String(node.operator)];
    if (!rule) return;
    const [gapFrom, gapUntil] = [range(one)[1], range(other)[0]];
    const gap = this.text(gapFrom, gapUntil);
    const at = gapFrom + Buffer.byteLength(gap.slice(0, gap.indexOf(String(node.operator))));
    for (const operator of rule.operators)
      this.add(rule.kind, at, at + String(node.operator).length, operator);
    if (node.operator === "-" || node.operator === "/" || node.operator === "%") {
      const [from, until] = [range(one)[0], range(other)[1]];
      this.add("swap", from, until, this.textOf(other) + gap + this.textOf(one));
    }
  }

  private constant(node: Node): void {
    const text = this.textOf(node);
    if (!/^\d[\d_]*$/.test(text)) return;
    this.replace("constant", node, (BigInt(text.replaceAll("_", "")) + 1n).toString());
  }

  private within(node: Node, kind: Kind, what: string, instead: string): void {
    const [from, until] = range(node);
    const at = from + Buffer.byteLength(this.text(from, until).split(what)[0] ?? "");
    this.add(kind, at, at + what.length, instead);
  }

  private replace(kind: Kind, node: Node, after: string, withSemicolon = false): void {
    const [from, end] = range(node);
    const hasSemicolon = withSemicolon && this.source[end] === 0x3b;
    this.add(kind, from, hasSemicolon ? end + 1 : end, after);
  }

  private add(kind: Kind, from: number, until: number, after: string): void {
    const before = this.text(from, until);
    const line = this.source.subarray(0, from).filter((byte) => byte === 0x0a).length + 1;
    this.mutants.push({
      id: `${this.file}:${line}:${from}:${kind}:${after}`,
      ...{ file: this.file, line, kind, from, until, before, after },
    });
  }

  private text(from: number, until: number): string {
    return this.source.subarray(from, until).toString();
  }

  private textOf(node: Node): string {
    return this.text(...range(node));
  }
}

function isRevert(body: Node): boolean {
  if (body.nodeType === "RevertStatement") return true;
  const statements = body.statements as Node[] | undefined;
  return (
    body.nodeType === "Block" && statements?.length === 1 && statements[0]?.nodeType === "RevertStatement"
  );
}

/** A statement without which the rest still compiles. */
function isPlainStatement(node: Node): boolean {
  if (node.nodeType !== "ExpressionStatement") return false;
  const { nodeType } = node.expression as Node;
  return nodeType === "Assignment" || nodeType === "FunctionCall" || nodeType === "UnaryOperation";
}

function range({ src }: Node): [number, number] {
  const [from = 0, length = 0] = src.split(":").map(Number);
  return [from, from + length];
}

function visit(
  node: Node,
  look: (node: Node, parents: readonly Node[]) => void,
  parents: readonly Node[] = [],
): void {
  look(node, parents);
  const below = [...parents, node];
  for (const value of Object.values(node))
    for (const child of Array.isArray(value) ? value : [value])
      if (typeof child === "object" && child !== null && "nodeType" in child && "src" in child)
        visit(child as Node, look, below);
}

function astsOf(root: string, files: readonly string[]): Record<string, Node> {
  const solc = require("solc") as { compile(input: string, callbacks: unknown): string };
  const contents = (path: string) => {
    const file = path.startsWith("@") ? require.resolve(path) : join(root, path);
    return { contents: readFileSync(file, "utf8") };
  };
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(files.map((file) => [file, { content: contents(file).contents }])),
    settings: { evmVersion: "cancun", outputSelection: { "*": { "": ["ast"] } } },
  };
  const { sources } = JSON.parse(solc.compile(JSON.stringify(input), { import: contents })) as {
    sources: Record<string, { ast: Node }>;
  };
  return Object.fromEntries(Object.entries(sources).map(([file, { ast }]) => [file, ast]));
}

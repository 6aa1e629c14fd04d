import ts from "typescript";
import { nodesOf, type Parsed, type Violation, violation } from "./file.ts";

/** A rule about what may stand where. */
type Rule = (file: Parsed) => Violation[];

const sqlPlaces = [
  /^offchain\/features\/[^/]+\/store(\.ts$|\/)/,
  /^offchain\/platform\/database\//,
  /^offchain\/platform\/chain\/(.*\/)?(\w*Store|checkpoint)\.ts$/,
  /^offchain\/platform\/locks\/postgres\.ts$/,
  /^offchain\/platform\/requests\/store\.ts$/,
];

/** SQL: a template that is tagged `sql` or `tx`, or `.unsafe(…)`. */
export const sqlInStores: Rule = (file) => {
  if (!file.path.startsWith("offchain/") || isIn(file, sqlPlaces)) return [];
  const found: Violation[] = [];
  for (const node of nodesOf(file.tree)) {
    if (ts.isTaggedTemplateExpression(node) && /^(.*\.)?(sql|tx)$/.test(node.tag.getText(file.tree)))
      found.push(
        violation("SQL stands in a store", file, node, firstWords(node.template.getText(file.tree))),
      );
    if (
      ts.isCallExpression(node) &&
      ts.isPropertyAccessExpression(node.expression) &&
      node.expression.name.text === "unsafe"
    )
      found.push(violation("SQL stands in a store", file, node, ".unsafe("));
  }
  return found;
};

const calldataPlaces = [
  /^offchain\/features\/[^/]+\/contract(\.ts$|\/)/,
  /^offchain\/platform\/chain\//,
  /^offchain\/(sdk|demo)\//,
];
const encoders = new Set(["encodeFunctionData", "encodeAbiParameters", "encodeDeployData"]);

export const calldataInContracts: Rule = (file) => {
  if (!file.path.startsWith("offchain/") || isIn(file, calldataPlaces)) return [];
  return [...nodesOf(file.tree)].flatMap((node) =>
    ts.isCallExpression(node) && encoders.has(node.expression.getText(file.tree))
      ? [violation("calldata stands in contract.ts", file, node, node.expression.getText(file.tree))]
      : [],
  );
};

/** What a feature may say of HTTP, and why. */
const httpExceptions: Readonly<Record<string, string>> = {
  "offchain/features/x402/":
    "x402 is itself a protocol: its objects carry methods, headers and status by name",
};
const httpTypes = new Set(["Response", "Request", "Headers"]);
const httpMethods = new Set(["GET", "POST", "PUT", "DELETE", "PATCH"]);
const httpHeaders = new Set(["accept", "authorization", "content-type", "cache-control", "retry-after"]);

/** A feature is called through any door: it knows none of their words. */
export const noHttpInFeatures: Rule = (file) => {
  if (!file.path.startsWith("offchain/features/")) return [];
  if (Object.keys(httpExceptions).some((start) => file.path.startsWith(start))) return [];
  const own = namesDeclared(file);
  return [...nodesOf(file.tree)].flatMap((node) => {
    const word = httpWord(node, own);
    return word === null ? [] : [violation("a feature knows no HTTP", file, node, word)];
  });
};

function httpWord(node: ts.Node, own: ReadonlySet<string>): string | null {
  if (ts.isIdentifier(node) && httpTypes.has(node.text) && !own.has(node.text) && !isMemberName(node))
    return node.text;
  if (ts.isPropertyAssignment(node)) {
    const name = nameOf(node.name);
    if (name === "status" && ts.isNumericLiteral(node.initializer)) return `status ${node.initializer.text}`;
    if (name !== null && httpHeaders.has(name.toLowerCase())) return name;
  }
  if (ts.isStringLiteral(node) && !ts.isPropertyAssignment(node.parent)) {
    if (ts.isImportDeclaration(node.parent) && /^(@?hono\b|node:http)/.test(node.text)) return node.text;
    if (httpMethods.has(node.text) || httpHeaders.has(node.text.toLowerCase())) return node.text;
  }
  return null;
}

/** `x.Response` and `{ Response: … }` are somebody's own names. */
const isMemberName = (node: ts.Identifier): boolean =>
  (ts.isPropertyAccessExpression(node.parent) && node.parent.name === node) ||
  ((ts.isPropertyAssignment(node.parent) || ts.isPropertySignature(node.parent)) &&
    node.parent.name === node);

const nameOf = (name: ts.PropertyName): string | null =>
  ts.isIdentifier(name) || ts.isStringLiteral(name) ? name.text : null;

function namesDeclared(file: Parsed): Set<string> {
  const names = new Set<string>();
  for (const node of nodesOf(file.tree)) {
    const isNaming =
      ts.isImportSpecifier(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);
    if (isNaming) names.add(node.name.text);
  }
  return names;
}

/** The configuration; and the two programs, each of which hands its environment whole to what reads and checks it. */
const environmentPlaces = [/^offchain\/app\/config\.ts$/, /^offchain\/(demo\/)?main\.ts$/];

/** Every setting is read once, checked and listed by `--help`. */
export const environmentInConfig: Rule = (file) => {
  if (!file.path.startsWith("offchain/") || isIn(file, environmentPlaces)) return [];
  return [...nodesOf(file.tree)].flatMap((node) =>
    ts.isPropertyAccessExpression(node) && node.getText(file.tree) === "process.env"
      ? [violation("only the configuration reads the environment", file, node, "process.env")]
      : [],
  );
};

const isIn = ({ path }: Parsed, places: readonly RegExp[]) => places.some((place) => place.test(path));

const firstWords = (text: string) => text.replace(/\s+/g, " ").slice(0, 50);

export const placeRules: readonly Rule[] = [
  sqlInStores,
  calldataInContracts,
  noHttpInFeatures,
  environmentInConfig,
];

import ts from "typescript";
import { type Parsed, type Violation, violation } from "./file.ts";

/** A feature's rules: what decides, and so can decide wrongly. */
const rules = /^offchain\/features\/[^/]+\/(rules\/.+|rules)\.ts$/;

/** Rules that decide have a test of their own, found by their name. @param paths of all files */
export function untestedRules(file: Parsed, paths: ReadonlySet<string>): Violation[] {
  if (!rules.test(file.path)) return [];
  const decider = file.tree.statements.find(decides);
  const mirrored = `test/${file.path.slice(0, -".ts".length)}`;
  if (!decider || paths.has(`${mirrored}.test.ts`) || paths.has(`${mirrored}.live.test.ts`)) return [];
  return [violation("a rule has its own test", file, decider, `no ${mirrored}.test.ts`)];
}

/** An exported function or class; tables and types decide nothing. */
function decides(node: ts.Statement): boolean {
  const isExported =
    ts.canHaveModifiers(node) &&
    ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;
  if (!isExported) return false;
  if (ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node)) return true;
  return (
    ts.isVariableStatement(node) &&
    node.declarationList.declarations.some(
      ({ initializer }) =>
        initializer && (ts.isArrowFunction(initializer) || ts.isFunctionExpression(initializer)),
    )
  );
}

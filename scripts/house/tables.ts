import ts from "typescript";
import { nodesOf, type Parsed, type SourceText, type Violation, violation } from "./file.ts";

const featureOf = (path: string): string | undefined => /^offchain\/features\/[^/]+\//.exec(path)?.[0];

/** The folder of the feature whose migrations make each table or view. The platform's are not among them. */
export function homesOfTables(migrations: readonly SourceText[]): ReadonlyMap<string, string> {
  const made = migrations.flatMap(({ path, text }) => {
    const home = featureOf(path);
    const names = text.matchAll(/CREATE (?:UNLOGGED )?(?:TABLE|VIEW) (?:IF NOT EXISTS )?(\w+)/gi);
    return home ? [...names].map(([, name = ""]) => [name, home] as const) : [];
  });
  return new Map(made);
}

/** A feature asks another one through its interface: its tables are its own, and may change without anybody's knowing. */
export function foreignTables(file: Parsed, homes: ReadonlyMap<string, string>): Violation[] {
  const own = featureOf(file.path);
  if (!own) return [];
  return [...nodesOf(file.tree)].flatMap((node) => {
    if (!ts.isTaggedTemplateExpression(node) || !/^(.*\.)?(sql|tx)$/.test(node.tag.getText(file.tree)))
      return [];
    return tablesIn(node.template)
      .filter((name) => (homes.get(name) ?? own) !== own)
      .map((name) => violation("a feature's SQL names its own tables", file, node, name));
  });
}

/** What a statement reads or writes by name; the templates within it are looked at by themselves. */
function tablesIn(template: ts.TemplateLiteral): string[] {
  const parts = ts.isNoSubstitutionTemplateLiteral(template)
    ? [template.text]
    : [template.head.text, ...template.templateSpans.map(({ literal }) => literal.text)];
  return parts.flatMap((text) =>
    [...text.matchAll(/\b(?:FROM|JOIN|INTO|UPDATE|USING)\s+(?:ONLY\s+)?(\w+)/g)].map(([, name = ""]) => name),
  );
}

import ts from "typescript";
import { nodesOf, type Parsed, type Violation, violation } from "./file.ts";

/** Sentences of the page that stood outside `words.ts` when they were first counted; this number only ever falls. */
export const sentencesMax = 226;

/** Attributes whose words nobody reads. */
const unread = new Set(["className", "d", "viewBox", "href", "src", "id", "key", "rel"]);

/** Sentences of a page: three words or more that a person reads, outside the feature's `words.ts`. */
export function sentencesOf(file: Parsed): Violation[] {
  if (!/^web\/features\//.test(file.path) || /\/words\.ts$/.test(file.path)) return [];
  return [...nodesOf(file.tree)].flatMap((node) => {
    const text = readText(node);
    return text !== null && isSentence(text) && !isUnread(node)
      ? [violation("a page's sentences stand in words.ts", file, node, text.slice(0, 60))]
      : [];
  });
}

function readText(node: ts.Node): string | null {
  if (ts.isJsxText(node)) return node.text.replace(/\s+/g, " ").trim();
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (ts.isTemplateExpression(node))
    return [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join("…");
  return null;
}

/** Three words, of which the first begins as a sentence does; lists of class names do not. */
function isSentence(text: string): boolean {
  const words = text.split(/\s+/).filter((word) => /^[\p{L}'’…-]+[.,:;!?]?$/u.test(word));
  return words.length >= 3 && /^[\p{Lu}…]/u.test(text.trim());
}

function isUnread(node: ts.Node): boolean {
  for (let at: ts.Node = node; at.parent; at = at.parent) {
    if (ts.isImportDeclaration(at)) return true;
    if (ts.isJsxAttribute(at)) return unread.has(at.name.getText());
    // Thrown for whoever reads the log, not for the page.
    if (ts.isThrowStatement(at)) return true;
  }
  return false;
}

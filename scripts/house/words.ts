import ts from "typescript";
import { nodesOf, type Parsed, type Violation, violation } from "./file.ts";

/** Attributes whose words nobody reads. */
const unread = new Set(["className", "d", "viewBox", "href", "src", "id", "key", "rel"]);

/** Sentences of a page: three words or more that a person reads, outside the feature's `words.ts`. */
export function sentencesOf(file: Parsed): Violation[] {
  if (!/^web\/(app|features|ui)\//.test(file.path) || /\/words\.ts$/.test(file.path)) return [];
  return [...nodesOf(file.tree)].flatMap((node) => {
    const text = readText(node);
    return text !== null && isSentence(text, isInMarkup(node)) && !isUnread(node)
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

/** Three words; outside the markup the first begins as a sentence does, which lists of class names do not. */
function isSentence(text: string, isInMarkup: boolean): boolean {
  const words = text.split(/\s+/).filter((word) => /^[\p{L}'’…-]+[.,:;!?]?$/u.test(word));
  return words.length >= 3 && (isInMarkup || /^[\p{Lu}…]/u.test(text.trim()));
}

/** A text between tags, or in the braces or quotes of an attribute. */
function isInMarkup(node: ts.Node): boolean {
  for (let at: ts.Node = node; at.parent; at = at.parent)
    if (ts.isJsxText(at) || ts.isJsxExpression(at) || ts.isJsxAttribute(at)) return true;
  return false;
}

function isUnread(node: ts.Node): boolean {
  for (let at: ts.Node = node; at.parent; at = at.parent) {
    if (ts.isImportDeclaration(at)) return true;
    if (ts.isJsxAttribute(at)) return unread.has(at.name.getText());
  }
  return false;
}

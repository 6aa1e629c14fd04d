import { createHash } from "node:crypto";
import type { ActionsByName } from "#offchain/app/features.ts";
import type { AnyAction } from "#offchain/core/action.ts";
import { errorCodes } from "#offchain/core/error.ts";
import { routeOf } from "../routes.ts";
import type { OpenApiDocument } from "./openapi.ts";

const style = `
:root { color-scheme: light dark; --line: light-dark(#d8dbe0, #33383f); --soft: light-dark(#5b6470, #9aa4b0); }
body { font: 15px/1.55 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 5rem; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .5rem; text-transform: capitalize; }
code, pre { font: 13px/1.5 ui-monospace, monospace; }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .4rem 0; padding: 0 .8rem; }
summary { cursor: pointer; padding: .55rem 0; display: flex; gap: .75rem; flex-wrap: wrap; }
summary .method { width: 3.2rem; font-weight: 600; } summary .words { color: var(--soft); flex: 1 1 16rem; }
pre { overflow-x: auto; border-top: 1px solid var(--line); padding: .6rem 0; margin: 0; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); }
.role { color: var(--soft); font-size: 13px; } .label { color: var(--soft); margin: .6rem 0 .2rem; }
`;

const styleHash = createHash("sha256").update(style).digest("base64");

/** The page's own style and nothing else may load. */
export const docsHeaders = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": `default-src 'none'; style-src 'sha256-${styleHash}'; frame-ancestors 'none'`,
} as const;

/** The API as one page for people: every action by noun, what it takes and gives, and every error. */
export function docsPage(document: OpenApiDocument, all: ActionsByName): string {
  const nouns = Map.groupBy(
    [...all.values()].map(({ action }) => action),
    (action) => action.name.split(".")[0] ?? "",
  );
  const sections = [...nouns].map(
    ([noun, actions]) =>
      `<h2>${escaped(noun)}</h2>${actions.map((action) => entry(action, document)).join("")}`,
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Bursar API</title><style>${style}</style></head><body>
<h1>Bursar API</h1><p>${escaped(document.info.description ?? "")}</p>
<p>Machine-readable: <a href="/openapi.json"><code>/openapi.json</code></a>. Live events: <code>GET /api/v1/stream</code>.
Signed requests: ${escaped(signedWords(document))}</p>
${sections.join("\n")}<h2>Errors</h2>${errorTable()}</body></html>`;
}

function entry(action: AnyAction, document: OpenApiDocument): string {
  const { method, path } = routeOf(action);
  const operation = document.paths[path]?.[method.toLowerCase()];
  const parameters = operation?.parameters?.length ? block("Parameters", operation.parameters) : "";
  const body = contentOf(operation?.requestBody);
  const answer = contentOf(operation?.responses?.[200]);
  const { stream } = action;
  const streamed = stream ? block("As a stream", `GET ${stream.resource}: ${stream.summary}`) : "";
  const role = action.role === "anonymous" ? "" : `<span class="role">signed by the ${action.role}</span>`;
  return `<details id="${action.name}"><summary><span class="method">${method}</span><code>${escaped(path)}</code>
<span class="words">${escaped(action.summary)}</span>${role}</summary>
${parameters}${body ? block("Body", resolved(body, document)) : ""}${block("Answer", resolved(answer, document))}${streamed}</details>`;
}

const contentOf = (part: unknown): unknown =>
  (part as { content?: Record<string, { schema?: unknown }> } | undefined)?.content?.["application/json"]
    ?.schema;

/** A schema that is only a reference, with what it refers to. */
function resolved(schema: unknown, document: OpenApiDocument): unknown {
  const reference = (schema as { $ref?: string } | undefined)?.$ref;
  const name = reference?.split("/").at(-1);
  return (name && document.components?.schemas?.[name]) || schema;
}

const block = (label: string, value: unknown) => {
  const text = typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
  return `<p class="label">${label}</p><pre>${escaped(text)}</pre>`;
};

function signedWords(document: OpenApiDocument): string {
  const scheme = document.components?.securitySchemes?.signedRequest;
  return (scheme && "description" in scheme && scheme.description) || "";
}

function errorTable(): string {
  const rows = Object.entries(errorCodes).map(
    ([code, { status, remedy }]) =>
      `<tr><td><code>${code}</code></td><td>${status}</td><td>${remedy}</td></tr>`,
  );
  return `<table><thead><tr><th>Code</th><th>Status</th><th>What to do</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

const escaped = (text: string) => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

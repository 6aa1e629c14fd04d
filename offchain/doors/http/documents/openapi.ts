import { OpenAPIHono, z } from "@hono/zod-openapi";
import { errorCodes } from "#offchain/core/error.ts";
import { type AnyAction, allActions, parameterNames } from "../routes.ts";

const errorSchema = z
  .object({
    error_code: z.enum(Object.keys(errorCodes) as [string, ...string[]]),
    message: z.string(),
    detail: z.string().optional().describe("The stack; only while debugging"),
    validation_errors: z.array(
      z.object({ field: z.string(), message: z.string(), value: z.unknown().optional() }),
    ),
    facts: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
      .describe("What was asked, what the limit was, which thing"),
    remedy: z.enum(["fix", "retry", "wait", "ask"]).describe("What to do next"),
    request_id: z.string(),
  })
  .openapi("Error");

const json = (schema: z.ZodType) => ({ content: { "application/json": { schema } } });

const failure = { description: "Why not: one shape for every error", ...json(errorSchema) };

const signed = {
  type: "apiKey",
  in: "header",
  name: "authorization",
  description:
    "`EIP712 <address>.<issuedAt>.<signature>`: an EIP-712 signature of " +
    "`Request(address agent,string method,string path,bytes32 bodyHash,uint256 issuedAt)` in the domain " +
    '{name: "Bursar", version: "1", chainId}; `path` with its query, `bodyHash` the keccak-256 of the body, ' +
    "`issuedAt` in epoch ms within 60 s of the service's clock.",
} as const;

export type OpenApiDocument = ReturnType<typeof openApiDocument>;

/** The OpenAPI 3.1 description of every declared action, derived from its schemas. `operationId` is the action's name. */
export function openApiDocument() {
  const app = new OpenAPIHono();
  app.openAPIRegistry.registerComponent("securitySchemes", "signedRequest", signed);
  for (const action of allActions) register(app, action);
  for (const [path, summary, type] of servicePaths)
    app.openAPIRegistry.registerPath({
      method: "get",
      path,
      summary,
      tags: ["service"],
      responses: {
        200: { description: summary, content: { [type]: { schema: z.unknown() } } },
        default: failure,
      },
    });
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Bursar",
      version: "1",
      description:
        "The treasury for autonomous AI agents. Amounts are decimal strings with a unit, base units are whole " +
        "numbers in decimal strings, times are milliseconds since the Unix epoch. Every write may be sent again safely.",
    },
    servers: [{ url: "/" }],
  });
}

const servicePaths = [
  ["/api/v1/stream", "Live events (Server-Sent Events, resumable by Last-Event-ID)", "text/event-stream"],
  ["/health", "Every subsystem's check; 503 when one has failed", "application/json"],
  ["/ready", "Whether requests should be sent here", "application/json"],
  ["/metrics", "Figures for Prometheus", "text/plain"],
] as const;

function register(app: OpenAPIHono, action: AnyAction): void {
  const { method, path } = action.route;
  const [noun = ""] = action.name.split(".");
  const { params, rest } = splitInput(action);
  const request = {
    ...(params && { params }),
    ...(rest &&
      (method === "GET" ? { query: rest as z.ZodObject } : { body: { required: true, ...json(rest) } })),
  };
  app.openAPIRegistry.registerPath({
    method: method.toLowerCase() as "get" | "post" | "put" | "delete",
    path,
    operationId: action.name,
    summary: action.summary,
    tags: [noun],
    ...(action.role !== "anonymous" && { security: [{ signedRequest: [] }] }),
    "x-role": action.role,
    request,
    responses: { 200: { description: "Done", ...json(action.output) }, default: failure },
  });
}

/** What of an action's input stands in the path, and what in the query or body. */
function splitInput({ input, route }: AnyAction): { params: z.ZodObject | null; rest: z.ZodType | null } {
  const names = parameterNames(route.path);
  if (!(input instanceof z.ZodObject)) return { params: null, rest: input };
  if (names.length === 0) return { params: null, rest: Object.keys(input.shape).length === 0 ? null : input };
  const shape: Record<string, z.ZodType> = input.shape;
  const fields = (inPath: boolean) =>
    z.object(Object.fromEntries(Object.entries(shape).filter(([name]) => names.includes(name) === inPath)));
  const rest = fields(false);
  return { params: fields(true), rest: Object.keys(rest.shape).length === 0 ? null : rest };
}

import { z } from "zod";
import type { ActionsByName } from "#offchain/app/features.ts";
import type { AnyAction } from "#offchain/core/action.ts";
import { errorCodes, remedies } from "#offchain/core/error.ts";
import { parameterNames, type Route, routesOf, type StreamRoute, streamRoutesOf } from "../routes.ts";

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
    remedy: z.enum(remedies).describe("What to do next"),
    request_id: z.string(),
  })
  .meta({ id: "Error" });

const signed = {
  type: "apiKey",
  in: "header",
  name: "authorization",
  description:
    "`EIP712 <address>.<issuedAt>.<signature>`: an EIP-712 signature of " +
    "`Request(address agent,string audience,string method,string path,bytes32 bodyHash,uint256 issuedAt)` in the domain " +
    '{name: "Bursar", version: "2", chainId}; `audience` is the origin that it is sent to, `path` with its query, `bodyHash` the keccak-256 of the body, ' +
    "`issuedAt` in epoch ms within 60 s of the service's clock.",
} as const;

type Json = Record<string, unknown>;

/** One operation of the description; what the pages and tests of the door look at. */
export interface Operation {
  operationId?: string;
  summary: string;
  tags: string[];
  security?: unknown;
  parameters?: {
    name: string;
    in: "path" | "query";
    required: boolean;
    schema: Json;
    description?: string;
  }[];
  requestBody?: { required: true; content: Record<string, { schema: Json }> };
  responses: Record<string, { description: string; content: Record<string, { schema: Json }> }>;
  "x-role"?: string;
  /** The action that is streamed. */
  "x-streams"?: string;
  /** One message each way, of a stream of messages. */
  "x-messages"?: { sent: Json; answered: Json };
}

export interface OpenApiDocument {
  openapi: "3.1.0";
  info: { title: string; version: string; description: string };
  servers: { url: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json>; securitySchemes: { signedRequest: typeof signed } };
}

/** The OpenAPI 3.1 description of every declared action, derived from its schemas. `operationId` is the action's name. */
export function openApiDocument(actions: ActionsByName): OpenApiDocument {
  const schemas = new Schemas();
  const paths: OpenApiDocument["paths"] = {};
  for (const route of routesOf(actions)) {
    if (route.path.includes("{chainId}")) continue;
    paths[route.path] ??= {};
    Object.assign(paths[route.path] ?? {}, { [route.method.toLowerCase()]: operationOf(schemas, route) });
  }
  for (const route of streamRoutesOf(actions))
    if (!route.path.includes("{chainId}")) paths[route.path] = { get: streamOf(schemas, route) };
  for (const [path, summary, type] of servicePaths) {
    const content = { [type]: { schema: {} } };
    paths[path] = serviceOperation(schemas, summary, { 200: { description: summary, content } });
  }
  for (const [path, summary, why, body] of standings) {
    const content = { "application/json": { schema: schemas.of(body) } };
    paths[path] = serviceOperation(schemas, summary, {
      200: { description: summary, content },
      503: { description: why, content },
    });
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Bursar",
      version: "1",
      description:
        "The treasury for autonomous AI agents. Amounts are decimal strings with a unit, base units are whole " +
        "numbers in decimal strings, times are milliseconds since the Unix epoch. Every write may be sent again " +
        "safely. What belongs to a chain is that of the first configured one; for another chain put " +
        "`chains/{chainId}/` before the path, after `/api/v1/` where it begins with that.",
    },
    servers: [{ url: "/" }],
    paths,
    components: { schemas: schemas.components(), securitySchemes: { signedRequest: signed } },
  };
}

const servicePaths = [
  ["/api/v1/stream", "Live events (Server-Sent Events, resumable by Last-Event-ID)", "text/event-stream"],
  ["/metrics", "Figures for Prometheus", "text/plain"],
] as const;

const healthStatus = z.enum(["ok", "degraded", "failed"]);
const health = z.object({
  status: healthStatus,
  isServing: z.boolean().describe("Whether calls can be served"),
  at: z.number(),
  checks: z.record(
    z.string(),
    z.object({
      status: healthStatus,
      latencyMs: z.number(),
      detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    }),
  ),
});
const readiness = z.object({
  isReady: z.boolean(),
  isDraining: z.boolean().describe("The service is stopping, and takes nothing new"),
  failed: z.array(z.string()).describe("The checks that have failed"),
});

/** How the service stands. When it stands badly the status is 503, and the body the same: it says why. */
const standings = [
  ["/health", "Every subsystem's check; 503 when one has failed", "A check has failed", health],
  [
    "/ready",
    "Whether requests should be sent here",
    "It is stopping, full, or what it needs has failed",
    readiness,
  ],
] as const;

const serviceOperation = (schemas: Schemas, summary: string, responses: Operation["responses"]) => ({
  get: { summary, tags: ["service"], responses: { ...responses, default: failure(schemas) } },
});

const failure = (schemas: Schemas) => ({
  description: "Why not: one shape for every error",
  content: { "application/json": { schema: schemas.of(errorSchema) } },
});

function operationOf(schemas: Schemas, { action, method, path }: Route & { action: AnyAction }): Operation {
  const [noun = ""] = action.name.split(".");
  const { inPath, rest } = splitInput(action.input, parameterNames(path));
  const inQuery = method === "GET" && rest instanceof z.ZodObject ? parametersOf(schemas, rest, "query") : [];
  const parameters = [...(inPath ? parametersOf(schemas, inPath, "path") : []), ...inQuery];
  const isBody = method !== "GET" && rest !== null;
  return {
    operationId: action.name,
    summary: action.summary,
    tags: [noun],
    ...(action.role !== "anonymous" && { security: [{ signedRequest: [] }] }),
    "x-role": action.role,
    ...(parameters.length > 0 && { parameters }),
    ...(isBody && {
      requestBody: { required: true, content: { "application/json": { schema: schemas.of(rest) } } },
    }),
    responses: {
      200: { description: "Done", content: { "application/json": { schema: schemas.of(action.output) } } },
      default: failure(schemas),
    },
  };
}

/** The opening of a stream. Its `operationId` is none: in the SDK it is no method beside the action's own. */
function streamOf(schemas: Schemas, { action, stream }: StreamRoute): Operation {
  const [noun = ""] = action.name.split(".");
  const opening: Omit<Operation, "responses"> = {
    summary: stream.summary,
    tags: [noun],
    ...(action.role !== "anonymous" && { security: [{ signedRequest: [] }] }),
    "x-role": action.role,
    "x-streams": action.name,
  };
  const refusal = { default: failure(schemas) };
  if (stream.kind === "messages") {
    const { sent, answered } = messagesOf(schemas, action, stream.words);
    const description = "A WebSocket (RFC 6455) of JSON messages, as in x-messages";
    return {
      ...opening,
      "x-messages": { sent, answered },
      responses: { 101: { description, content: {} }, ...refusal },
    };
  }
  const parameters = stream.input instanceof z.ZodObject ? parametersOf(schemas, stream.input, "query") : [];
  const description = `Server-Sent Events without end; Last-Event-ID goes before ${stream.resumedBy}`;
  return {
    ...opening,
    ...(parameters.length > 0 && { parameters }),
    responses: { 200: { description, content: { "text/event-stream": { schema: {} } } }, ...refusal },
  };
}

function messagesOf(schemas: Schemas, action: AnyAction, words: { input: string; output: string }) {
  const id = { type: "string", minLength: 1, maxLength: 64 };
  const object = (properties: Json) => ({
    type: "object",
    properties,
    required: Object.keys(properties),
  });
  const error = schemas.of(errorSchema);
  return {
    sent: object({ id, [words.input]: schemas.of(action.input) }),
    answered: {
      oneOf: [
        object({ id, [words.output]: schemas.of(action.output) }),
        object({ id: { ...id, type: ["string", "null"] }, error }),
      ],
    },
  };
}

function parametersOf(schemas: Schemas, object: z.ZodObject, place: "path" | "query") {
  const shape: Record<string, z.ZodType> = object.shape;
  return Object.entries(shape).map(([name, schema]) => ({
    name,
    in: place,
    required: place === "path" || !schema.safeParse(undefined).success,
    schema: schemas.of(schema),
  }));
}

/** What of an action's input stands in the path, and what in the query or body. */
function splitInput(
  input: z.ZodType,
  names: readonly string[],
): { inPath: z.ZodObject | null; rest: z.ZodType | null } {
  if (!(input instanceof z.ZodObject)) return { inPath: null, rest: input };
  if (names.length === 0) return { inPath: null, rest: Object.keys(input.shape).length === 0 ? null : input };
  const shape: Record<string, z.ZodType> = input.shape;
  const fields = (isInPath: boolean) =>
    z.object(Object.fromEntries(Object.entries(shape).filter(([name]) => names.includes(name) === isInPath)));
  const rest = fields(false);
  return { inPath: fields(true), rest: Object.keys(rest.shape).length === 0 ? null : rest };
}

/** JSON Schema (draft 2020-12, as OpenAPI 3.1 takes it) of zod's schemas; those with an id stand once, and are referred to. */
class Schemas {
  readonly #named = new Map<string, Json>();

  /** The schema as it crosses the wire, before it is parsed. */
  of(schema: z.ZodType): Json {
    const written = z.toJSONSchema(schema, {
      io: "input",
      unrepresentable: "any",
      override: ({ jsonSchema }) => void delete jsonSchema.id,
    }) as Json & { $defs?: Record<string, Json> };
    const { $schema: _dialect, $defs = {}, ...rest } = written;
    for (const [name, definition] of Object.entries($defs)) this.#named.set(name, referring(definition));
    const id = schema.meta()?.id;
    if (id === undefined) return referring(rest);
    // One that is referred to from within itself, or written by zod as a reference, stands among the definitions.
    if (!(id in $defs)) this.#named.set(id, referring(rest));
    return { $ref: `#/components/schemas/${id}` };
  }

  components(): Record<string, Json> {
    return Object.fromEntries([...this.#named].toSorted(([one], [other]) => (one < other ? -1 : 1)));
  }
}

/** The same schema with its references into the document's components. */
function referring(schema: Json): Json {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/'));
}

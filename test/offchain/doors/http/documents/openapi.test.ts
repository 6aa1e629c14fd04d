import { readFile } from "node:fs/promises";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, it } from "vitest";
import { actions } from "#offchain/app/features.ts";
import { docsPage } from "#offchain/doors/http/documents/docs.ts";
import { type Operation, openApiDocument } from "#offchain/doors/http/documents/openapi.ts";
import { parameterNames, routesOf, streamRoutesOf } from "#offchain/doors/http/routes.ts";
import { routes } from "#offchain/sdk/routes.ts";
import { routesSource } from "../../../../../scripts/sdk/routes.ts";
import { ask, openDoor } from "../door.ts";

const document = openApiDocument(actions);
const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation: operation as Operation })),
);

it("is valid OpenAPI 3.1, by the specification's own schema", async () => {
  expect(await new Validator().validate(structuredClone({ ...document }))).toEqual({ valid: true });
});

it("gives each schema its content: a validator can be made of every one, and refuses null", () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: "bursar", ...document });
  const names = Object.keys(document.components?.schemas ?? {});
  expect(names.length).toBeGreaterThan(20);
  for (const name of names) {
    const validate = ajv.getSchema(`bursar#/components/schemas/${name}`);
    expect([name, validate?.(null)]).toEqual([name, false]);
  }
});

it("lists the same names at every door", async () => {
  const names = [...actions.keys()].sort();
  expect(operations.flatMap(({ operation }) => operation.operationId ?? []).sort()).toEqual(names);
  expect(Object.keys(routes).sort()).toEqual(names);
});

it("lists the stream of an action, with what opens it and what it carries", () => {
  const streams = operations.filter(({ operation }) => operation["x-streams"] !== undefined);
  expect(streams.map(({ path, method, operation }) => [method, path, operation["x-streams"]])).toEqual([
    ["get", "/api/v1/micropayments/stream", "payments.pay"],
    ["get", "/api/v1/events/stream", "events.list"],
  ]);
  const [messages, feed] = streams.map(({ operation }) => operation);
  expect(feed?.parameters?.map(({ name, required }) => [name, required])).toEqual([
    ["cursor", false],
    ["contract", false],
    ["event", false],
  ]);
  expect(Object.keys(feed?.responses[200]?.content ?? {})).toEqual(["text/event-stream"]);
  const error = { $ref: "#/components/schemas/Error" };
  expect(messages?.["x-messages"]).toMatchObject({
    sent: { properties: { payment: { $ref: "#/components/schemas/Payment" } }, required: ["id", "payment"] },
    answered: {
      oneOf: [
        { properties: { receipt: { $ref: "#/components/schemas/Receipt" } } },
        { properties: { error } },
      ],
    },
  });
  for (const operation of [feed, messages])
    expect(operation?.responses.default?.content["application/json"]?.schema).toEqual(error);
});

it("serves every declared route", async () => {
  await using door = await openDoor();
  for (const route of routesOf(actions)) {
    const path = route.path.replace(/\{\w+\}/g, "x");
    const { body } = await ask(door.url, path, { method: route.method });
    expect([path, body.error_code === "ROUTE_UNKNOWN" || body.error_code === "METHOD_UNKNOWN"]).toEqual([
      path,
      false,
    ]);
  }
});

it("serves every stream, also on any chain, and by no other method", async () => {
  await using door = await openDoor();
  for (const { path, isChainBound } of streamRoutesOf(actions)) {
    expect(isChainBound).toBe(true);
    const { body } = await ask(door.url, path.replace("{chainId}", "31337"), { method: "POST" });
    expect(body).toMatchObject({ error_code: "METHOD_UNKNOWN", facts: { allowed: "GET" } });
  }
});

it("has an SDK route table that is current", async () => {
  const file = new URL("../../../../../offchain/sdk/routes.ts", import.meta.url);
  expect(await readFile(file, "utf8")).toBe(routesSource());
});

it("describes every path parameter, the query of a GET and the body of a POST", () => {
  for (const { path, operation } of operations) {
    const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === "path");
    expect(inPath.map(({ name }) => name)).toEqual(parameterNames(path));
  }
  const list = operations.find(({ operation }) => operation.operationId === "payments.list")?.operation;
  expect(list?.parameters?.map(({ name }) => name)).toContain("cursor");
  const pay = operations.find(({ operation }) => operation.operationId === "payments.pay")?.operation;
  expect(pay?.requestBody?.content["application/json"]?.schema.$ref).toBe("#/components/schemas/Payment");
});

it("marks what needs a signed request", () => {
  const signed = operations
    .filter(({ operation }) => operation.security)
    .map(({ operation }) => operation.operationId);
  const wanted = [...actions.values()].filter(({ action }) => action.role !== "anonymous");
  expect(signed.sort()).toEqual(wanted.map(({ action }) => action.name).sort());
});

it("is OpenAPI 3.1 and served as such", async () => {
  await using door = await openDoor();
  const { body } = await ask(door.url, "/openapi.json");
  expect(body).toEqual(JSON.parse(JSON.stringify(document)));
  expect(body.openapi).toBe("3.1.0");
});

it("has a page for people that loads nothing from elsewhere", async () => {
  const page = docsPage(document, actions);
  for (const name of actions.keys()) expect(page).toContain(`id="${name}"`);
  for (const { path } of streamRoutesOf(actions))
    if (!path.includes("{chainId}")) expect(page).toContain(`GET ${path}: `);
  expect(page).not.toMatch(/<script|https?:\/\/|src=/);
  await using door = await openDoor();
  const { status, headers } = await ask(door.url, "/docs");
  expect([status, headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
});

it.each([
  ["serves", false],
  ["is stopping and a check has failed", true],
])("describes how the service stands as it is answered, when it %s", async (_, isStopping) => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const database = async () => {
    if (isStopping) throw new Error("away");
    return { detail: { connections: 2, problem: null } };
  };
  await using door = await openDoor({ checks: { database } });
  if (isStopping) await door.http.drain();
  for (const path of ["/health", "/ready"]) {
    const { status, body } = await ask(door.url, path);
    expect([path, status]).toEqual([path, isStopping ? 503 : 200]);
    const said = operations.find((each) => each.path === path)?.operation.responses[status];
    const isAsTold = ajv.compile(said?.content["application/json"]?.schema ?? false);
    expect([isAsTold(body), isAsTold.errors]).toEqual([true, null]);
    expect(isAsTold({})).toBe(false);
  }
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { actions, type FeatureAction } from "#offchain/app/features.ts";
import { validate } from "#offchain/app/validate.ts";
import { BursarError } from "#offchain/core/error.ts";
import type { ErrorBody } from "#offchain/doors/error.ts";
import type { Outcome } from "#offchain/doors/memory/door.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { requestOf } from "../../scripts/bench/parts/reads/request.ts";
import { sampleOf } from "../../scripts/bench/parts/reads/sample.ts";
import type { DoorUnderTest } from "../offchain/doors/behaviour.ts";
import { serveWorld } from "../offchain/doors/http/door.ts";
import { openOverHttp } from "../offchain/doors/http/httpDoor.ts";
import { account, smallWorld, startedAt } from "../offchain/doors/world.ts";
import { chainId } from "../offchain/support/service.ts";

/**
 * Kinds of input that every action must refuse alike, made from the list of actions. Behind the door nothing stands that
 * could be changed: what is let through fails as INTERNAL.
 */
const world = () => smallWorld({ environment: { BURSAR_RATE_PER_IDENTITY_PER_SECOND: "0" } });
let door: DoorUnderTest;
let raw: Awaited<ReturnType<typeof serveWorld>>;
beforeAll(async () => {
  door = await openOverHttp(world());
  raw = await serveWorld(world());
});
afterAll(async () => {
  await door?.[Symbol.asyncDispose]();
  await raw?.[Symbol.asyncDispose]();
});

const all = [...actions.values()];
const nameOf = ({ action }: FeatureAction) => action.name;
const shapeOf = ({ action: { input } }: FeatureAction): Record<string, z.ZodType> =>
  input instanceof z.ZodObject ? input.shape : {};

/** What is refused, with everything else as it should be. */
async function refusal(known: FeatureAction, field: string, value: unknown): Promise<Outcome> {
  const sample = sampleOf(known.action.input) as Record<string, unknown>;
  return door.call("operator", nameOf(known), { ...sample, [field]: value });
}

const refused = (field: string) => ({
  ok: false,
  error: expect.objectContaining({
    error_code: "VALIDATION_INVALID_INPUT",
    remedy: "fix",
    validation_errors: expect.arrayContaining([expect.objectContaining({ field })]),
  }),
});

it.each(all.map(nameOf))("an input of %s can be made from its schema", (name) => {
  const input = actions.get(name)?.action.input as z.ZodType;
  expect(input.safeParse(sampleOf(input)).success).toBe(true);
});

describe("a field that nothing knows", () => {
  /** Another's format, to which its authors may add. */
  const loose = new Set(["x402.verify", "x402.settle"]);

  it.each(all.map(nameOf).filter((name) => !loose.has(name)))("is refused by %s", async (name) => {
    const known = actions.get(name) as FeatureAction;
    expect(await refusal(known, "surprise", "1")).toEqual(refused("surprise"));
  });

  it("is refused in each item of a list too, and is named shortly", () => {
    const known = actions.get("payments.payBatch") as FeatureAction;
    const { payments } = sampleOf(known.action.input) as { payments: object[] };
    const sent = { payments: [...payments, { ...payments[0], [`amout${"x".repeat(200)}`]: "1" }] };
    expect(() => validate(known.action.input, sent)).toThrow(/^payments\.1\.amoutx{75}: is no field of it/);
  });
});

describe("text that no database holds, and ten megabytes of it,", () => {
  const hostile = ["a\0b", "\ud800", "x".repeat(10 * 2 ** 20)];
  /** Others' formats, of which nothing is kept as it comes. */
  const loose = new Set(["x402.verify", "x402.settle"]);

  it.each(all.filter((known) => !loose.has(nameOf(known))).map(nameOf))(
    "are refused by %s in each field, and named shortly",
    (name) => {
      const known = actions.get(name) as FeatureAction;
      const { input } = known.action;
      const sample = sampleOf(input) as Record<string, unknown>;
      for (const [field, schema] of Object.entries(shapeOf(known)))
        for (const bad of hostile)
          for (const value of withEachText(sampleOf(schema, field), bad)) {
            let told: unknown;
            try {
              validate(input, { ...sample, [field]: value });
            } catch (error) {
              told = error;
            }
            expect(told, `${field}: ${JSON.stringify(bad.slice(0, 10))}`).toMatchObject({
              code: "VALIDATION_INVALID_INPUT",
            });
            expect(JSON.stringify((told as BursarError).fields).length).toBeLessThan(10_000);
          }
    },
  );
});

/** The same value, each time with another one of its texts changed. */
function withEachText(value: unknown, text: string): unknown[] {
  if (typeof value === "string") return [text];
  if (Array.isArray(value))
    return value.flatMap((part, at) => withEachText(part, text).map((other) => value.with(at, other)));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, part]) =>
    withEachText(part, text).map((other) => ({ ...value, [name]: other })),
  );
}

describe("a cursor that no page gave", () => {
  const broken = ["abc", String(2n ** 80n), "", "0x10", "1e3", " 5", "-1", "5."];
  /** Lists whose next page begins after a name take any name. */
  const byName = new Map([["energy.pool", ["A B", "", " 5", "-1", "5."]]]);
  const lists = all.filter((known) => "cursor" in shapeOf(known));

  it.each(lists.map(nameOf))("is refused by %s", async (name) => {
    const known = actions.get(name) as FeatureAction;
    for (const cursor of byName.get(name) ?? [...broken, String(2n ** 63n)])
      expect([cursor, await refusal(known, "cursor", cursor)]).toEqual([cursor, refused("cursor")]);
  });

  it.each(all.filter(({ action: { stream } }) => stream?.kind === "feed").map(nameOf))(
    "is refused by the feed of %s",
    async (name) => {
      for (const cursor of broken)
        expect(await door.follow("ada", name, { cursor })).toEqual(refused("cursor"));
    },
  );
});

describe("a whole number in odd notation", () => {
  const odd = ["0x10", "1e3", "+5", " 5", "5.", "", "0b1", "-0", "1_000"];
  /** By what the schema makes of a plain one. */
  const isWhole = (field: z.ZodType) =>
    !field.safeParse({}).success &&
    ["1", 1].some((one) => ["number", "bigint"].includes(typeof field.safeParse(one).data));
  const fields = all.flatMap((known) =>
    Object.entries(shapeOf(known))
      .filter(([, field]) => isWhole(field))
      .map(([field]) => ({ name: nameOf(known), field, known })),
  );

  it.each(fields)("is refused by $name as $field", async ({ known, field }) => {
    for (const value of odd)
      expect([value, await refusal(known, field, value)]).toEqual([value, refused(field)]);
  });
});

describe("a body of ten thousand arrays in each other", () => {
  const deep = `{"deep":${"[".repeat(10_000)}${"]".repeat(10_000)}}`;
  const sign = signRequests(account("operator"), chainId, () => startedAt);

  it.each(all.filter(({ action: { effect } }) => effect !== "read").map(nameOf))(
    "is refused by %s",
    async (name) => {
      const input = actions.get(name)?.action.input as z.ZodType;
      const { method, path } = requestOf(name, sampleOf(input) as Record<string, unknown>);
      const headers = {
        "content-type": "application/json",
        ...(await sign({ method, path, body: deep, origin: raw.url })),
      };
      const answer = await fetch(new URL(path, raw.url), { method, headers, body: deep });
      expect([answer.status, ((await answer.json()) as ErrorBody).error_code]).toEqual([
        400,
        "BODY_MALFORMED",
      ]);
    },
  );
});

it("terms by which nothing could be transferred are refused", async () => {
  const known = actions.get("ledger.setFees") as FeatureAction;
  const terms = { unit: "AVT", minimum: "2", maximum: "1" };
  expect(await door.call("operator", nameOf(known), terms)).toEqual(refused("maximum"));
});

it("a voucher that is refused has one error, sent alone, among others or on a stream", async () => {
  const error = new BursarError("VOUCHER_FORGED", "not the payer's", {
    facts: { got: 5n, recovered: null, absent: undefined },
    fields: [{ field: "signature", message: "must be the payer's", value: "0x" }],
  });
  await using paying = await openOverHttp(
    smallWorld({ pay: async (requests) => requests.map(() => ({ ok: false as const, error })) }),
  );
  const payment = sampleOf(actions.get("payments.pay")?.action.input as z.ZodType) as Record<string, unknown>;
  const [alone, together, [streamed]] = await Promise.all([
    paying.call("ada", "payments.pay", payment),
    paying.call("ada", "payments.payBatch", { payments: [payment] }),
    paying.send("ada", "payments.pay", [payment]),
  ]);
  const written = {
    error_code: "VOUCHER_FORGED",
    message: "not the payer's",
    remedy: "fix",
    facts: { got: "5", recovered: null },
    validation_errors: error.fields,
  };
  expect(together).toEqual({ ok: true, output: { items: [{ error: written }], proof: null } });
  for (const outcome of [alone, streamed])
    expect(outcome).toEqual({ ok: false, error: { ...written, request_id: expect.any(String) } });
});

import { expect, test } from "vitest";
import { z } from "zod";
import { unknownFields } from "#offchain/core/call/unknownFields.ts";

const named = (schema: z.ZodType, input: unknown) => unknownFields(schema, input).map(({ field }) => field);
const point = z.object({ x: z.number() });

test("a field that the schema does not know is named by its path, at any depth", () => {
  const schema = z.object({ at: point, all: z.array(point).optional(), one: point.nullable().default(null) });
  expect(named(schema, { at: { x: 1 } })).toEqual([]);
  expect(named(schema, { at: { x: 1, y: 2 }, all: [{ x: 1 }, { z: 1 }], one: { w: 1 }, more: 1 })).toEqual([
    "at.y",
    "all.1.z",
    "one.w",
    "more",
  ]);
});

test("it is told which there are", () => {
  expect(unknownFields(point, { y: 1 })).toMatchObject([{ message: "is no field of it; these are: x" }]);
  expect(unknownFields(z.object({}), { y: 1 })).toMatchObject([
    { message: "is no field of it; these are: none" },
  ]);
});

test("what a schema transforms, and what is loose, keeps its own rules", () => {
  expect(
    named(
      point.transform(({ x }) => x),
      { x: 1, y: 2 },
    ),
  ).toEqual(["y"]);
  expect(
    named(
      z.preprocess((sent) => sent, point),
      { x: 1, y: 2 },
    ),
  ).toEqual(["y"]);
  expect(named(z.looseObject({ x: point }), { x: { x: 1, y: 2 }, anything: 1 })).toEqual(["x.y"]);
  expect(named(z.record(z.string(), z.unknown()), { anything: 1 })).toEqual([]);
});

test("of a union that option counts which knows the most of it", () => {
  const schema = z.union([z.object({ a: z.string() }), z.object({ a: z.string(), b: z.string() })]);
  expect(named(schema, { a: "1", b: "2" })).toEqual([]);
  expect(named(schema, { a: "1", b: "2", c: "3" })).toEqual(["c"]);
});

test("what is no object has no fields: its own schema refuses it", () => {
  for (const input of [null, undefined, "text", 1, [1]]) expect(named(point, input)).toEqual([]);
});

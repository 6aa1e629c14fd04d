import fc from "fast-check";
import { expect, test } from "vitest";
import { encode, Json, type Parameter, parserOf, typeOf } from "#offchain/platform/database/driver/types.ts";

test.each<[what: string, value: Parameter, type: number, sent: unknown]>([
  ["null", null, 0, null],
  ["text", "it's", 0, "it's"],
  ["a number", 1.5, 0, "1.5"],
  ["a bigint", -(10n ** 30n), 20, "-1000000000000000000000000000000"],
  ["true", true, 16, "t"],
  ["false", false, 16, "f"],
  ["bytes", Uint8Array.of(0, 255), 17, Buffer.of(0, 255)],
  ["a date", new Date(0), 1184, "1970-01-01T00:00:00.000Z"],
  ["JSON", new Json({ a: [1, null] }), 3802, '{"a":[1,null]}'],
  ["a list", ["a", 'b"\\', null, 1, 2n], 0, '{"a","b\\"\\\\",NULL,"1","2"}'],
  ["an empty list", [], 0, "{}"],
])("%s is sent as its type says", (_, value, type, sent) => {
  expect(typeOf(value)).toBe(type);
  expect(encode(value)).toEqual(sent);
});

test("bytes are sent as they are, a part of a larger buffer too", () => {
  expect(encode(Buffer.from("0011223344", "hex").subarray(1, 3))).toEqual(Buffer.of(0x11, 0x22));
});

test.each([
  [undefined, "undefined"],
  [{ a: 1 }, "sql.json"],
  [[true], "list"],
  [() => {}, "function"],
])("%s is no parameter", (value, said) => {
  expect(() => encode(value as unknown as Parameter)).toThrow(said);
});

const read = (type: number, text: string) => parserOf(type)?.(text);

test.each<[what: string, type: number, text: string, value: unknown]>([
  ["bool", 16, "t", true],
  ["bytea", 17, "\\x00ff", Buffer.of(0, 255)],
  ["int8", 20, "-9223372036854775808", -(2n ** 63n)],
  ["int4", 23, "-5", -5],
  ["float8", 701, "1.25", 1.25],
  ["numeric", 1700, "340282366920938463463374607431768211456", 2n ** 128n],
  ["numeric with decimals", 1700, "1.50", "1.50"],
  ["jsonb", 3802, '{"a":1}', { a: 1 }],
  ["timestamptz", 1184, "2026-01-02 03:04:05.678+00", new Date("2026-01-02T03:04:05.678Z")],
  ["text[]", 1009, '{a,"b,c",NULL,"\\"d\\""}', ["a", "b,c", null, '"d"']],
  ["int8[]", 1016, "{1,2,NULL}", [1n, 2n, null]],
  ["bytea[]", 1001, '{"\\\\x00","\\\\xff"}', [Buffer.of(0), Buffer.of(255)]],
  [
    "int4[][]",
    1007,
    "{{1,2},{3,4}}",
    [
      [1, 2],
      [3, 4],
    ],
  ],
  ["an empty array", 1231, "{}", []],
])("%s is read as its type says", (_, type, text, value) => {
  expect(read(type, text)).toEqual(value);
});

test("text and what is not known stays text", () => {
  expect([parserOf(25), parserOf(600)]).toEqual([undefined, undefined]);
});

test("a list of any texts is read as it was sent", () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.string())), (texts) => {
      expect(read(1009, encode(texts) as string)).toEqual(texts);
    }),
  );
});

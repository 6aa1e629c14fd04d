import { types } from "pg";

/** Object identifiers of built-in types, which are the same on every server (PostgreSQL sources, pg_type.dat). */
const oid = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  oid: 26,
  json: 114,
  float4: 700,
  float8: 701,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  numeric: 1700,
  jsonb: 3802,
} as const;

/** The server works the type out from where the parameter stands. */
const unspecified = 0;

/** A value that goes as jsonb. */
export class Json {
  /** Tells the compiler that not every object with a text is one. */
  declare private readonly isJson: true;
  readonly text: string;
  constructor(value: unknown) {
    this.text = JSON.stringify(value);
  }
}

type Scalar = string | number | bigint | boolean | Date | Uint8Array | null;
/** What may be a parameter. Elements of an array go as text: cast it, such as `::bigint[]`. */
export type Parameter = Scalar | Json | readonly (string | number | bigint | null)[];
/** A parameter as it is sent: text, or bytes as they are. */
export type Encoded = string | Buffer | null;

/** The type that a parameter is declared with: only where the value alone says it. */
export function typeOf(value: Parameter): number {
  switch (typeof value) {
    case "bigint":
      return oid.int8;
    case "boolean":
      return oid.bool;
    case "object":
      if (value instanceof Uint8Array) return oid.bytea;
      if (value instanceof Date) return oid.timestamptz;
      return value instanceof Json ? oid.jsonb : unspecified;
    default:
      return unspecified;
  }
}

/** @throws TypeError for what PostgreSQL has no type for, undefined above all */
export function encode(value: Parameter): Encoded {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
    case "bigint":
      return String(value);
    case "boolean":
      return value ? "t" : "f";
    case "object":
      return encodeObject(value);
    default:
      throw new TypeError(`a parameter of a query is ${typeof value}`);
  }
}

function encodeObject(value: Exclude<Parameter, string | number | bigint | boolean>): Encoded {
  if (value === null) return null;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Json) return value.text;
  if (Array.isArray(value)) return `{${value.map(encodeElement).join(",")}}`;
  throw new TypeError("a parameter of a query is an object: send it as sql.json(…)");
}

/** An element of an array, quoted (PostgreSQL manual, "Array Input and Output Syntax"). */
function encodeElement(value: unknown): string {
  switch (typeof value) {
    case "string":
      // Two searches cost a third of a replacement that finds nothing, and nearly never is there anything.
      return value.includes('"') || value.includes("\\")
        ? `"${value.replace(/["\\]/g, "\\$&")}"`
        : `"${value}"`;
    case "number":
    case "bigint":
      return `"${value}"`;
    default:
      if (value === null) return "NULL";
      throw new TypeError(`an array for a query holds ${typeof value}: pass it through list(…)`);
  }
}

export type Parse = (text: string) => unknown;

const date: Parse = (text) => new Date(text);
const json: Parse = (text) => JSON.parse(text);

/** What is not listed stays text. Whole numbers that JavaScript's number cannot hold come back as bigint. */
const parsers = new Map<number, Parse>([
  [oid.bool, (text) => text === "t"],
  [oid.bytea, (text) => Buffer.from(text.slice(2), "hex")],
  [oid.int8, BigInt],
  [oid.int2, Number],
  [oid.int4, Number],
  [oid.oid, Number],
  [oid.float4, Number],
  [oid.float8, Number],
  [oid.json, json],
  [oid.jsonb, json],
  [oid.date, date],
  [oid.timestamp, date],
  [oid.timestamptz, date],
  // The schema's numerics are base units with scale 0; one with decimals is a query of our own, kept as text.
  [oid.numeric, (text) => (text.includes(".") ? text : BigInt(text))],
]);

/** The type of an array by that of its elements; text, varchar, name, char and uuid are arrays of text. */
const arrays: readonly (readonly [array: number, element: number])[] = [
  [1000, oid.bool],
  [1001, oid.bytea],
  [1016, oid.int8],
  [1005, oid.int2],
  [1007, oid.int4],
  [1028, oid.oid],
  [1021, oid.float4],
  [1022, oid.float8],
  [199, oid.json],
  [3807, oid.jsonb],
  [1182, oid.date],
  [1115, oid.timestamp],
  [1185, oid.timestamptz],
  [1231, oid.numeric],
  [1009, unspecified],
  [1015, unspecified],
  [1003, unspecified],
  [1002, unspecified],
  [1014, unspecified],
  [2951, unspecified],
];

const asText: Parse = (text) => text;
for (const [array, element] of arrays) {
  const parse = parsers.get(element) ?? asText;
  parsers.set(array, (text) => types.arrayParser.create(text, parse).parse());
}

/** How a column of this type is read; undefined if it stays text. */
export const parserOf = (type: number): Parse | undefined => parsers.get(type);

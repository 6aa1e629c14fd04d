import { expect, test } from "vitest";
import {
  Assignments,
  compile,
  Identifier,
  List,
  Template,
  type Value,
} from "#offchain/platform/database/driver/template.ts";

const tag = (strings: TemplateStringsArray, ...values: readonly Value[]) => new Template(strings, values);
const textOf = (template: Template) => compile(template).statement.text;

test("parameters are numbered where they stand", () => {
  const { statement, parameters } = compile(tag`SELECT ${1}, ${"two"} WHERE x = ${3n}`);
  expect(statement).toMatchObject({ text: "SELECT $1, $2 WHERE x = $3", types: [0, 0, 20] });
  expect(parameters).toEqual(["1", "two", "3"]);
});

test("a literal's text is put together once for each way in which its parameters are typed", () => {
  const ask = (value: Value) => compile(tag`SELECT ${value}`).statement;
  expect(ask("one")).toBe(ask("two"));
  expect(ask(1n)).toBe(ask(2n));
  expect(ask(1n)).not.toBe(ask("one"));
  expect(ask(1n).name).not.toBe(ask("one").name);
  expect(ask(null)).toBe(ask("one"));
});

test("a template in a template is a piece of its text, with its parameters in place", () => {
  const inner = tag`AND b = ${"b"}`;
  const { statement, parameters } = compile(tag`SELECT ${"a"} WHERE true ${inner} ${tag``} LIMIT ${5}`);
  expect(statement.text).toBe("SELECT $1 WHERE true AND b = $2  LIMIT $3");
  expect(parameters).toEqual(["a", "b", "5"]);
});

test("texts that are put together alike are one statement", () => {
  const ask = (bound: number) => compile(tag`SELECT 1 ${tag`LIMIT ${bound}`}`).statement;
  expect(ask(1)).toBe(ask(2));
});

test("names are quoted, and a list is of names, or of parameters after IN", () => {
  expect(textOf(tag`DROP TABLE ${new Identifier('a"b.c')}`)).toBe('DROP TABLE "a""b"."c"');
  expect(textOf(tag`COPY t (${new List(["one", "two"])})`)).toBe('COPY t ("one","two")');
  const { statement, parameters } = compile(tag`SELECT 1 WHERE a = ${"a"} AND b IN ${new List(["c", "d"])}`);
  expect(statement.text).toBe("SELECT 1 WHERE a = $1 AND b IN ($2,$3)");
  expect(parameters).toEqual(["a", "c", "d"]);
  expect(textOf(tag`SELECT 1 WHERE b IN ${new List([])}`)).toBe("SELECT 1 WHERE b IN (NULL)");
});

test("assignments name each column and what it is set to", () => {
  const { statement, parameters } = compile(
    tag`UPDATE t SET ${new Assignments({ one: 1n, two: null })} WHERE id = ${3}`,
  );
  expect(statement.text).toBe('UPDATE t SET "one"=$1,"two"=$2 WHERE id = $3');
  expect(parameters).toEqual(["1", null, "3"]);
});

test("more parameters than the protocol counts are refused", () => {
  const many = new List(Array.from({ length: 65_536 }, (_, at) => at));
  expect(() => compile(tag`SELECT 1 WHERE 1 IN ${many}`)).toThrow("65536 parameters");
});

test("undefined is refused: it is null to nobody", () => {
  expect(() => compile(tag`SELECT ${undefined as unknown as Value}`)).toThrow("undefined");
});

import { type Encoded, encode, type Parameter, typeOf } from "./types.ts";

/** A statement of which the server keeps the plan, by its name, on every connection that used it. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly types: readonly number[];
}

/** What may stand in a template besides parameters: it becomes text. */
export abstract class Part {
  /** Tells the compiler that not every object is one. */
  declare private readonly isPart: true;
}

/** A template that has not been sent: by itself a query, inside another one a piece of its text. */
export class Template extends Part {
  readonly strings: readonly string[];
  readonly values: readonly Value[];

  constructor(strings: readonly string[], values: readonly Value[]) {
    super();
    this.strings = strings;
    this.values = values;
  }
}

/** The name of a table or column. */
export class Identifier extends Part {
  readonly name: string;
  constructor(name: string) {
    super();
    this.name = name;
  }
}

/** After IN, parameters in parentheses; elsewhere names of columns. */
export class List extends Part {
  readonly items: readonly Parameter[];
  constructor(items: readonly Parameter[]) {
    super();
    this.items = items;
  }
}

/** `"column" = value, …`, for SET. */
export class Assignments extends Part {
  readonly columns: Readonly<Record<string, Parameter>>;
  constructor(columns: Readonly<Record<string, Parameter>>) {
    super();
    this.columns = columns;
  }
}

export type Value = Parameter | Part;

export interface Compiled {
  readonly statement: Statement;
  readonly parameters: readonly Encoded[];
}

/** The protocol counts them in 16 bits (PostgreSQL manual, "Message Formats", Bind). */
const parametersMax = 65_535;
let statements = 0;

/** One text's statements: one for each way in which its parameters are typed. */
class Text {
  readonly #text: string;
  readonly #variants: Statement[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  compiled(values: readonly Parameter[]): Compiled {
    if (values.length > parametersMax)
      throw new RangeError(`a query has ${values.length} parameters, and may have ${parametersMax}`);
    return { statement: this.#variant(values), parameters: values.map(encode) };
  }

  #variant(values: readonly Parameter[]): Statement {
    for (const variant of this.#variants) if (fits(variant.types, values)) return variant;
    statements += 1;
    const made = { name: `s${statements}`, text: this.#text, types: values.map(typeOf) };
    this.#variants.push(made);
    return made;
  }
}

function fits(types: readonly number[], values: readonly Parameter[]): boolean {
  for (let at = 0; at < values.length; at += 1)
    if (types[at] !== typeOf(values[at] as Parameter)) return false;
  return true;
}

/** By the literal in the source: nearly every query is of parameters alone, and its text is put together once. */
const byLiteral = new WeakMap<readonly string[], Text>();
/** By what was put together of parts. */
const byText = new Map<string, Text>();
/** Lists of many lengths make many texts; beyond so many all are made anew. */
const textsMax = 4_000;

/** @throws TypeError for a value that cannot be sent, RangeError for too many */
export function compile({ strings, values }: Template): Compiled {
  if (values.some(isPart)) return compileParts(strings, values);
  const known = byLiteral.get(strings) ?? new Text(numbered(strings));
  byLiteral.set(strings, known);
  return known.compiled(values as readonly Parameter[]);
}

const isPart = (value: Value): value is Part => value instanceof Part;

function numbered(strings: readonly string[]): string {
  let text = strings[0] ?? "";
  for (let at = 1; at < strings.length; at += 1) text += `$${at}${strings[at]}`;
  return text;
}

function compileParts(strings: readonly string[], values: readonly Value[]): Compiled {
  const parameters: Parameter[] = [];
  const text = join(strings, values, parameters);
  let known = byText.get(text);
  if (known === undefined) {
    if (byText.size >= textsMax) byText.clear();
    known = new Text(text);
    byText.set(text, known);
  }
  return known.compiled(parameters);
}

function join(strings: readonly string[], values: readonly Value[], parameters: Parameter[]): string {
  let text = strings[0] ?? "";
  for (const [at, value] of values.entries())
    text += textOf(value, text, parameters) + (strings[at + 1] ?? "");
  return text;
}

function textOf(value: Value, before: string, parameters: Parameter[]): string {
  if (!isPart(value)) return `$${parameters.push(value)}`;
  if (value instanceof Template) return join(value.strings, value.values, parameters);
  // A dot parts a schema from what is in it.
  if (value instanceof Identifier) return value.name.split(".").map(quoted).join(".");
  if (value instanceof Assignments)
    return Object.entries(value.columns)
      .map(([name, of]) => `${quoted(name)}=$${parameters.push(of)}`)
      .join(",");
  return listOf((value as List).items, before, parameters);
}

function listOf(items: readonly Parameter[], before: string, parameters: Parameter[]): string {
  if (!/\bIN\s*$/i.test(before)) return items.map((name) => quoted(String(name))).join(",");
  // Nothing is in an empty list.
  return items.length === 0 ? "(NULL)" : `(${items.map((item) => `$${parameters.push(item)}`).join(",")})`;
}

/** A name as SQL has it (PostgreSQL manual, "Identifiers and Key Words"). */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

import { describe, expect, it } from "vitest";
import type { SourceText } from "../../../scripts/house/file.ts";
import { inspect } from "../../../scripts/house/inspect.ts";

const lookAt = (...files: SourceText[]) =>
  inspect({
    sources: files.filter(({ path }) => !path.endsWith(".sql")),
    migrations: files.filter(({ path }) => path.endsWith(".sql")),
    paths: files.map(({ path }) => path),
  });
const found = (path: string, text: string) =>
  lookAt({ path, text }).violations.map(({ rule, place }) => [rule, place]);
const inFeature = (file: string) => `offchain/features/toy/${file}`;

describe("SQL", () => {
  const rule = "SQL stands in a store";
  it.each(["sql`SELECT 1`", "tx<Row[]>`SELECT 1`", "this.sql`SELECT 1`", "tx.unsafe(text)"])(
    "%s is found outside a store, and belongs in one",
    (text) => {
      expect(found(inFeature("toy.ts"), `const a = 1;\nawait ${text};`)).toEqual([
        [rule, `${inFeature("toy.ts")}:2`],
      ]);
      for (const place of ["store.ts", "store/toys.ts"])
        expect(found(inFeature(place), `await ${text}`)).toEqual([]);
    },
  );

  it("belongs in the platform's own stores, and nowhere else of it", () => {
    const text = "await sql`SELECT 1`";
    for (const path of [
      "database/copy.ts",
      "chain/indexer/watchStore.ts",
      "chain/indexer/checkpoint.ts",
      "locks/postgres.ts",
    ])
      expect(found(`offchain/platform/${path}`, text)).toEqual([]);
    expect(found("offchain/platform/jobs/once.ts", text)).toHaveLength(1);
  });
});

it("a feature's SQL names its own tables and the platform's: what another one holds is asked of it", () => {
  const tables = [
    {
      path: "offchain/platform/chain/migrations/0001_chain.sql",
      text: "CREATE TABLE chain_block (id bigint);",
    },
    { path: inFeature("migrations/0001_toy.sql"), text: "CREATE TABLE toy (id bigint);" },
    {
      path: "offchain/features/ledger/migrations/0001_ledger.sql",
      text: "CREATE TABLE account (id bigint);\nCREATE VIEW entry AS SELECT 1;",
    },
  ];
  const seen = (statement: string) =>
    lookAt(...tables, { path: inFeature("store.ts"), text: `await tx\`${statement}\`;` }).violations.map(
      ({ found: what }) => what,
    );
  expect(seen("SELECT * FROM toy JOIN chain_block USING (id)")).toEqual([]);
  expect(seen("SELECT * FROM toy WHERE EXISTS (SELECT FROM account)")).toEqual(["account"]);
  expect(seen(`UPDATE account SET a = \${one} FROM entry`)).toEqual(["account", "entry"]);
  expect(seen(`SELECT * FROM \${rows} JOIN ONLY account ON true`)).toEqual(["account"]);
});

it("calldata is found outside contract.ts", () => {
  const text = "const data = encodeFunctionData({ abi, functionName });";
  expect(found(inFeature("jobs.ts"), text)).toEqual([
    ["calldata stands in contract.ts", `${inFeature("jobs.ts")}:1`],
  ]);
  for (const path of [
    inFeature("contract.ts"),
    "offchain/sdk/channel.ts",
    "offchain/platform/chain/client/gas.ts",
  ])
    expect(found(path, text)).toEqual([]);
});

describe("words of HTTP", () => {
  it.each([
    "const answer: Response = give();",
    "new Headers()",
    'import { Hono } from "hono";',
    'const method = "POST";',
    "const refusal = { status: 404 };",
    'const headers = { "content-type": type };',
  ])("%s is found in a feature", (text) => {
    expect(found(inFeature("toy.ts"), text)).toEqual([
      ["a feature knows no HTTP", `${inFeature("toy.ts")}:1`],
    ]);
    expect(found("offchain/doors/http/toy.ts", text)).toEqual([]);
  });

  it.each([
    "interface Request { id: string }\nfunction take(request: Request) {}",
    'import type { Response } from "./service.ts";\nlet a: Response;',
    "const shown = answer.Response;",
    'const batch = { status: "open" };',
  ])("%s is a feature's own", (text) => expect(found(inFeature("toy.ts"), text)).toEqual([]));
});

it("the environment is read by the configuration alone", () => {
  const text = "const port = process.env.PORT;";
  expect(found("offchain/doors/http/serve.ts", text)).toHaveLength(1);
  expect(found("offchain/app/config.ts", text)).toEqual([]);
});

describe("a feature's rules", () => {
  const rule = "a rule has its own test";
  const source = (text: string, file = "rules/price.ts") => ({ path: inFeature(file), text });
  const test = (path: string) => ({ path: `test/offchain/features/toy/${path}`, text: "" });
  const decides = "const least = 1;\nexport function priceUp() {}";

  it("that export a function or class are found without a test of their own", () => {
    for (const text of [
      decides,
      "export async function read() {}",
      "export const priceUp = (amount: bigint) => amount;",
      "export const priceUp = function () {};",
      "export class Price {}",
    ])
      expect(lookAt(source(text)).violations.map((one) => one.rule)).toEqual([rule]);
    expect(lookAt(source(decides)).violations).toMatchObject([
      {
        place: `${inFeature("rules/price.ts")}:2`,
        found: "no test/offchain/features/toy/rules/price.test.ts",
      },
    ]);
  });

  it("are tested beside no other file's test, in a unit test or a live one", () => {
    const untested = (...files: SourceText[]) => lookAt(...files).violations.length;
    expect(untested(source(decides), test("rules/price.test.ts"))).toBe(0);
    expect(untested(source(decides), test("rules/price.live.test.ts"))).toBe(0);
    expect(untested(source(decides), test("rules/prices.test.ts"))).toBe(1);
    expect(untested(source(decides), test("price.test.ts"))).toBe(1);
    expect(untested(source(decides, "rules.ts"), test("rules.test.ts"))).toBe(0);
    expect(untested(source(decides, "rules.ts"))).toBe(1);
  });

  it("that only hold tables and types decide nothing, and other files are not asked", () => {
    const tables =
      "export const most = 5;\nexport type Price = bigint;\nfunction own() {}\nconst also = () => own();";
    expect(lookAt(source(tables)).violations).toEqual([]);
    for (const file of ["toy.ts", "store/rules.ts", "actions/price.ts"])
      expect(lookAt(source(decides, file)).violations).toEqual([]);
  });
});

it("a function, a file and a folder that are too long are found, and the longest told", () => {
  const lines = (count: number) => Array.from({ length: count }, (_, at) => `  call(${at});`).join("\n");
  const path = "offchain/doors/long.ts";
  const inspection = lookAt({ path, text: `export function long() {\n${lines(69)}\n}\n${lines(400)}` });
  expect(inspection.violations.map(({ found }) => found)).toEqual(["long has 71", "471 lines"]);
  expect(inspection.longestFunction).toMatchObject({ place: `${path} long`, size: 71 });
  const folder = Array.from({ length: 16 }, (_, at) => ({ path: `offchain/core/${at}.ts`, text: "" }));
  expect(lookAt(...folder).violations.map(({ place, found }) => [place, found])).toEqual([
    ["offchain/core", "16 entries"],
  ]);
  const features = Array.from({ length: 16 }, (_, at) => ({
    path: `offchain/features/f${at}/rules.ts`,
    text: "",
  }));
  expect(lookAt(...features).violations).toEqual([]);
});

describe("a page's sentences", () => {
  const path = "web/features/toy/Toy.tsx";
  const count = (text: string, at = path) =>
    lookAt({ path: at, text }).violations.filter(({ rule }) => /words\.ts/.test(rule)).length;

  it.each([
    "const a = <p>Nothing is paid yet</p>;",
    "const a = <p>nothing is paid yet</p>;",
    'const a = <Hint title="Nothing is paid yet" />;',
    'const a = <Hint note={isPaid ? null : "nothing is paid yet"} />;',
    `const a = \`Paid by \${who} on chain\`;`,
    'const empty = { title: "Nothing is paid yet" };',
    'throw new Error("Connect a wallet first");',
  ])("%s is found outside words.ts", (text) => {
    for (const at of [path, "web/app/toys/page.tsx", "web/ui/Toy.tsx"]) expect(count(text, at)).toBe(1);
    for (const at of ["web/features/toy/words.ts", "web/lib/toy.ts"]) expect(count(text, at)).toBe(0);
  });

  it.each([
    'const a = <p className="flex items center">Paid</p>;',
    'const look = "flex items center";',
    'import { toy } from "Some strange place";',
  ])("%s is none", (text) => expect(count(text)).toBe(0));
});

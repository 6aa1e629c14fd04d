import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { drawnEdges, edgeFaults, listedEdges, namedFileFaults } from "../../../scripts/check/places.ts";

const page = "docs/some.md";

it("finds the file that a page names and that is not there, and the line", async () => {
  const text =
    "It is `app/call.ts`.\nSee `offchain/app/nothing.ts` and [more](events.md), [less](lost/page.md).\n";
  expect(await namedFileFaults(page, text)).toEqual([
    { page, line: 2, problem: "there is no offchain/app/nothing.ts" },
    { page, line: 2, problem: "there is no lost/page.md" },
  ]);
});

it("takes a star for any part of a name, and looks at nobody else's addresses", async () => {
  const text = [
    "`test/contracts/treasury/*.t.sol`, `test/contracts/nothing/*.t.sol`",
    "https://example.com/a/b.md, `@bursar/sdk/lost.ts`, `features/<name>/events.ts`, `contracts/treasury/Thing.sol`",
  ].join("\n");
  expect(await namedFileFaults(page, text)).toEqual([
    { page, line: 1, problem: "there is no test/contracts/nothing/*.t.sol" },
  ]);
});

it("compares the edges that are drawn with those that are listed", () => {
  const text = "main --> app\nsubgraph features[some]\n  a --> b & c\n  d --> a\nend\napp --> a\n";
  expect(drawnEdges(text)).toEqual(["a → b", "a → c", "d → a"]);
  expect(edgeFaults(page, text, ["a → b", "d → a", "d → c"])).toEqual([
    { page, line: 2, problem: "a → c is drawn, and not listed in .dependency-cruiser.cjs" },
    { page, line: 2, problem: "d → c is listed in .dependency-cruiser.cjs, and not drawn" },
  ]);
});

it("reads the edges of this project, which are drawn", async () => {
  const text = await readFile(new URL("../../../docs/architecture.md", import.meta.url), "utf8");
  expect(listedEdges()).toContain("payments → energy");
  expect(drawnEdges(text).sort()).toEqual(listedEdges().sort());
});

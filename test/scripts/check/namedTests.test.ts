import { expect, it } from "vitest";
import { namedTestFaults } from "../../../scripts/check/namedTests.ts";

const page = "docs/some.md";
const file = "test/scripts/check/places.test.ts";

it("finds a test that a page names and that its file does not have", async () => {
  const text = [
    "| a row |",
    `| \`${file}\`: "finds the file that a page names and that is not there, and the line", "is not in it" |`,
    '`test/lost.test.ts`: "anything"; `test/also/lost.test.ts` alone is another check\'s matter',
  ].join("\n");
  expect(await namedTestFaults(page, text)).toEqual([
    { page, line: 2, problem: `${file} has no test "is not in it"` },
    { page, line: 3, problem: 'test/lost.test.ts has no test "anything"' },
  ]);
});

it("finds a contract's test that a page names and that no contract's tests have", async () => {
  const text =
    "`test_aStolenKeyIsStoppedByOneOwner`, `ThievesTest.invariant_allHold`, `testFuzz_nothing_ofTheKind`";
  expect(await namedTestFaults(page, text)).toEqual([
    { page, line: 1, problem: "there is no test testFuzz_nothing_ofTheKind" },
  ]);
});

import { describe, expect, test } from "vitest";
import { serves } from "../../../scripts/stack/dashboard.ts";

describe("an earlier build of the dashboard", () => {
  test.each([
    ["abc types checked", true, true],
    ["abc types checked", false, true],
    ["abc", true, false],
    ["abc", false, true],
    ["older types checked", false, false],
    ["", false, false],
  ])("that left %j, with types to be checked: %s, serves: %s", (left, areTypesChecked, answer) => {
    expect(serves(left, { sources: "abc", areTypesChecked })).toBe(answer);
  });
});

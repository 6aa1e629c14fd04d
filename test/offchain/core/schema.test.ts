import { expect, test } from "vitest";
import { whole } from "#offchain/core/schema.ts";

const faultOf = (sent: unknown) =>
  whole(1, 200)
    .safeParse(sent)
    .error?.issues.map(({ message }) => message);

test.each([0, 201, -1, "0", "201", "-1", "9999"])(
  "a whole number out of range, %j, is told the range",
  (sent) => {
    expect(faultOf(sent)).toEqual(["must be 1 to 200"]);
  },
);

test.each(["0x10", "", " 1", "1.5", "-0", "01", "1e2", 1.5, null])(
  "%j is told to be a whole number",
  (sent) => {
    expect(faultOf(sent)?.[0]).toBe("must be a whole number in decimal digits");
  },
);

test.each([1, 200, "1", "200"])("%j is in range", (sent) => {
  expect(whole(1, 200).parse(sent)).toBe(Number(sent));
});

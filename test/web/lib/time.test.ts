import { expect, test } from "vitest";
import { absoluteText, agoText, demandText, leftText, spanText, urgency } from "@/lib/time.ts";

const now = 1_800_000_000_000;
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

test.each([
  [0, "0 s"],
  [59_999, "59 s"],
  [minute, "1 min"],
  [minute + 5_000, "1 min 5 s"],
  [29 * minute + 59_000, "29 min"],
  [hour, "1 h"],
  [hour + 12 * minute, "1 h 12 min"],
  [2 * day + 4 * hour, "2 d 4 h"],
  [-5, "0 s"],
])("a span of %d ms is %s", (span, words) => expect(spanText(span)).toBe(words));

test("a moment ago is just now, also with a clock slightly behind", () => {
  expect(agoText(now - 1_000, now)).toBe("just now");
  expect(agoText(now + 3_000, now)).toBe("just now");
});
test("ages are coarse", () => {
  expect(agoText(now - 3_000, now)).toBe("3 s ago");
  expect(agoText(now - 90 * minute, now)).toBe("1 h ago");
});
test("what lies ahead is said so", () => expect(agoText(now + 2 * hour, now)).toBe("in 2 h"));

test("a deadline presses in its last hour and is over at its very end", () => {
  expect(urgency(now + 2 * day, now)).toBe("calm");
  expect(urgency(now + 5 * hour, now)).toBe("soon");
  expect(urgency(now + hour - 1, now)).toBe("urgent");
  expect(urgency(now, now)).toBe("over");
});
test("a deadline that the contract takes for never is no count of days", () =>
  expect(leftText(8_640_000_000_000_000, 1_800_000_000_000)).toBe("no time limit"));

test("no time is left at the deadline", () => {
  expect(leftText(now, now)).toBe("time is up");
  expect(leftText(now + 65_000, now)).toBe("1 min 5 s left");
});

const until = Date.UTC(2027, 0, 22);
const receipt = { expiresAt: until / 1_000 };

test("a receipt can be demanded in its last fourteen days, and is worth nothing at its end", () => {
  const from = until - 14 * day;
  expect(demandText(receipt, from - 1)).toBe(
    `Can be demanded from ${absoluteText(from)}, if no epoch has it by then`,
  );
  const now = `Can be demanded until ${absoluteText(until)}, if no epoch has it`;
  expect(demandText(receipt, from)).toBe(now);
  expect(demandText(receipt, until - 1)).toBe(now);
  expect(demandText(receipt, until)).toBe(`Expired ${absoluteText(until)}`);
});

import { expect, test } from "vitest";
import { addPoint, parseEvent } from "@/lib/live/stream.ts";

const payments = (at: number) => ({
  type: "payments" as const,
  count: 4,
  value: { amount: "0.1", unit: "USDC" as const },
  perSecond: 4,
  at,
});

test("a point is added in time order", () =>
  expect(addPoint(addPoint([], payments(1)), payments(2)).map(({ at }) => at)).toEqual([1, 2]));
test("a point that a resumed stream repeats is not counted twice", () => {
  const points = addPoint([], payments(5));
  expect(addPoint(points, payments(5))).toBe(points);
  expect(addPoint(points, payments(4))).toBe(points);
});
test("only the last ten minutes are kept", () => {
  let points = addPoint([], payments(0));
  for (let at = 1; at <= 700; at += 1) points = addPoint(points, payments(at));
  expect(points).toHaveLength(600);
  expect(points.at(-1)?.at).toBe(700);
});
test("a message that is not an event is ignored", () => {
  expect(parseEvent("block", "{")).toBeNull();
  expect(parseEvent("block", "null")).toBeNull();
  expect(parseEvent("block", "{}")).toBeNull();
});
test("the name of the message is the type of the event", () =>
  expect(parseEvent("block", '{"head":"2","indexedTo":"2","at":1}')?.type).toBe("block"));

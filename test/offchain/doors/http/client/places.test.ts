import { expect, test } from "vitest";
import { Places } from "#offchain/doors/http/client/places.ts";

const open = () => new Places({ what: "streams", limit: "streamsMax", most: 4, share: 2 });
const from = (ip: string, isExemptFromRates = false) => ({ ip, isExemptFromRates });

test("an address gets its share, and the others get theirs", () => {
  const places = open();
  const [first] = [places.take(from("a")), places.take(from("a"))];
  expect(() => places.take(from("a"))).toThrow(
    expect.objectContaining({ code: "RATE_LIMITED", facts: { limit: 2, retryAfterMs: 1_000 } }),
  );
  places.take(from("b"));
  places.take(from("b"));
  expect(() => places.assertRoom(from("c"))).toThrow(
    expect.objectContaining({ code: "OVERLOADED", facts: { streamsMax: 4 } }),
  );
  first?.();
  first?.();
  places.take(from("c"));
  expect(() => places.take(from("d"))).toThrow(expect.objectContaining({ code: "OVERLOADED" }));
});

test("an address without limits takes what there is, and no more", () => {
  const places = open();
  for (let at = 0; at < 4; at += 1) places.take(from("us", true));
  expect(() => places.take(from("us", true))).toThrow(expect.objectContaining({ code: "OVERLOADED" }));
});

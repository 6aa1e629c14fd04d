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

test("when all are taken, whoever holds most gives its oldest to one that holds clearly fewer", () => {
  const places = new Places({ what: "streams", limit: "streamsMax", most: 5, share: 4 });
  const ended: string[] = [];
  const take = (ip: string, name: string) => places.take(from(ip), () => ended.push(name));
  for (const name of ["a1", "a2", "a3"]) take("a", name);
  for (const name of ["b1", "b2"]) take("b", name);
  const leave = take("c", "c1");
  expect(ended).toEqual(["a1"]);
  expect(() => take("c", "c2"), "a and b hold two, which is not clearly more than one").toThrow(
    expect.objectContaining({ code: "OVERLOADED" }),
  );
  expect(() => take("a", "a4"), "nobody holds more than a").toThrow(
    expect.objectContaining({ code: "OVERLOADED" }),
  );
  leave();
  expect(places.isFull).toBe(false);
  take("d", "d1");
  expect([ended, places.isFull]).toEqual([["a1"], true]);
});

test("what cannot be ended keeps its place", () => {
  const places = new Places({ what: "requests", limit: "max", most: 2, share: 2 });
  places.take(from("a"));
  places.take(from("a"));
  expect(places.hasRoom(from("b"))).toBe(false);
  expect(() => places.take(from("b"))).toThrow(expect.objectContaining({ code: "OVERLOADED" }));
});

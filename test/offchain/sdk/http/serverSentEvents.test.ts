import fc from "fast-check";
import { expect, it } from "vitest";
import { readServerSentEvents } from "#offchain/sdk/http/serverSentEvents.ts";

async function read(...chunks: Uint8Array[]) {
  const events: unknown[] = [];
  for await (const event of readServerSentEvents(
    (async function* () {
      yield* chunks;
    })(),
  ))
    events.push(event);
  return events;
}

const bytes = (text: string) => new TextEncoder().encode(text);

it("reads ids, names and data, and leaves comments out", async () => {
  const text =
    'retry: 1000\n: open\n\nid: 1.2.3\nevent: added\ndata: {"a":\ndata: 1}\n\n: heartbeat\n\nid:9\n\n';
  expect(await read(bytes(text))).toEqual([
    { id: "1.2.3", event: "added", data: '{"a":\n1}' },
    { id: "9", event: "message", data: "" },
  ]);
});

it("gives out no block that the end cuts off", async () => {
  expect(await read(bytes("id: 1\ndata: whole\n\nid: 2\ndata: cut\n"))).toEqual([
    { id: "1", event: "message", data: "whole" },
  ]);
});

it("reads the same however the stream is cut, and whichever line ends it has", async () => {
  const text = "id: 1\nevent: added\ndata: ä€😀\n\n: beat\n\nid: 2\ndata: b\n\n";
  const wanted = await read(bytes(text));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom("\n", "\r\n"), fc.array(fc.nat(80)), async (lineEnd, cuts) => {
      const all = bytes(text.replaceAll("\n", lineEnd));
      const places = [0, ...cuts.toSorted((a, b) => a - b), all.length];
      const chunks = places.slice(1).map((to, at) => all.subarray(places[at], to));
      expect(await read(...chunks)).toEqual(wanted);
    }),
    { numRuns: 200 },
  );
});

import { expect, it } from "vitest";
import { openDoor } from "../door.ts";

const batch = (batchId: string) => ({ type: "batch", batchId, state: "closed", at: 1 }) as const;

/** Reads the stream until it holds `needle`. */
async function readUntil(reader: ReadableStreamDefaultReader<Uint8Array>, needle: string): Promise<string> {
  let text = "";
  while (!text.includes(needle)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`the stream ended without ${needle}: ${text}`);
    text += new TextDecoder().decode(value);
  }
  return text;
}

async function open(url: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/api/v1/stream`, { headers });
  if (!response.body) throw new Error("no stream");
  return { response, reader: response.body.getReader() };
}

it("sends each event with its id and type as it happens", async () => {
  await using door = await openDoor();
  const { response, reader } = await open(door.url);
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  await readUntil(reader, ": open");
  door.bus.publish(batch("7"));
  const text = await readUntil(reader, "\n\n");
  expect(text).toBe(
    'id: run-1\nevent: batch\ndata: {"type":"batch","batchId":"7","state":"closed","at":1}\n\n',
  );
});

it("resumes after the last event that the client saw", async () => {
  await using door = await openDoor();
  for (const id of ["1", "2", "3"]) door.bus.publish(batch(id));
  const { reader } = await open(door.url, { "last-event-id": "run-2" });
  const text = await readUntil(reader, "run-3");
  expect([text.includes("run-2"), text.includes("gap")]).toEqual([false, false]);
});

it("says that there is a gap when it cannot resume", async () => {
  await using door = await openDoor({ environment: { BURSAR_STREAM_RING_SIZE: "1" } });
  for (const id of ["1", "2", "3"]) door.bus.publish(batch(id));
  const { reader } = await open(door.url, { "last-event-id": "run-1" });
  expect(await readUntil(reader, "run-3")).toContain("event: gap");
});

it("beats while nothing happens", async () => {
  await using door = await openDoor({ environment: { BURSAR_STREAM_HEARTBEAT_MS: "100" } });
  const { reader } = await open(door.url);
  expect(await readUntil(reader, ": heartbeat")).toContain(": heartbeat");
});

it("refuses more streams than it may hold, and lets a place go with its client", async () => {
  await using door = await openDoor({ environment: { BURSAR_STREAM_CLIENTS_MAX: "1" } });
  const { reader } = await open(door.url);
  await readUntil(reader, ": open");
  expect((await fetch(`${door.url}/api/v1/stream`)).status).toBe(503);
  await reader.cancel();
  await expect.poll(async () => (await open(door.url)).response.status).toBe(200);
});

it("ends the streams when the door closes", async () => {
  await using door = await openDoor();
  const { reader } = await open(door.url);
  await readUntil(reader, ": open");
  await door.http.drain();
  expect((await reader.read()).done).toBe(true);
});

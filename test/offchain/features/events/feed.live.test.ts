import { afterAll, beforeAll, expect, test } from "vitest";
import type { FeedItem } from "#offchain/features/events/service.ts";
import { createClient } from "#offchain/sdk/client.ts";
import { follow as followFeed } from "#offchain/sdk/follow.ts";
import { eventually } from "../../support/eventually.ts";
import { startSecondService, startTestStack, type TestStack, testChain, until } from "../../support/stack.ts";

interface Message {
  id: string | null;
  event: string;
  data: unknown;
}

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({
    BURSAR_FINALITY_DEPTH_BLOCKS: "8",
    BURSAR_STREAM_HEARTBEAT_MS: "500",
    BURSAR_SENDER_REPLACE_AFTER_MS: "1000",
  });
  for (const index of [4, 5, 6, 7, 8]) await stack.agent(index).register(`Agent ${index}`, "researcher");
}, 240_000);

afterAll(() => stack?.stop());

const chain = () => testChain(stack);

let payees = 5;
/** Deposits of agent 4 into a new channel: several events of BatchSettlement. */
async function deposit(): Promise<void> {
  await stack.agent(4).openChannel({ payee: stack.agent(payees).address, deposit: "1" });
  payees += 1;
}

const list = (query: Record<string, unknown> = {}) => stack.client.events.list({ limit: 200, ...query });

/** Reads the stream until `isEnough`, then hangs up. */
async function follow(
  isEnough: (messages: readonly Message[]) => boolean,
  options: { lastEventId?: string; query?: string; onOpen?: () => void } = {},
): Promise<Message[]> {
  const ending = new AbortController();
  const response = await fetch(`${stack.apiUrl}/api/v1/events/stream${options.query ?? ""}`, {
    headers: options.lastEventId === undefined ? {} : { "last-event-id": options.lastEventId },
    signal: ending.signal,
  });
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
  const messages: Message[] = [];
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    options.onOpen?.();
    const blocks = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const fields = new Map(
        block.split("\n").map((line) => [line.split(": ")[0], line.slice(line.indexOf(": ") + 2)]),
      );
      const [event, data] = [fields.get("event"), fields.get("data")];
      if (event && data) messages.push({ id: fields.get("id") ?? null, event, data: JSON.parse(data) });
    }
    if (isEnough(messages)) break;
  }
  ending.abort();
  return messages;
}

const changes = (messages: readonly Message[]) => messages.filter(({ id }) => id !== null);

test("lists every event by name and arguments, page by page as at once, and by filter", async () => {
  await deposit();
  const { items } = await until(
    () => list(),
    ({ items: found }) => found.length > 0,
  );
  const deposited = items.find(({ event }) => event === "Deposited");
  expect(deposited).toMatchObject({
    contract: "BatchSettlement",
    change: "added",
    args: { amount: "1000000", newBalance: "1000000" },
  });
  const paged: FeedItem[] = [];
  let cursor: string | undefined;
  for (;;) {
    const page = await stack.client.events.list({ limit: 1, ...(cursor && { cursor }) });
    if (page.items.length === 0) break;
    paged.push(...(page.items as FeedItem[]));
    cursor = page.cursor;
  }
  expect(paged.map((item) => item.cursor)).toEqual(items.map((item) => item.cursor));
  const filtered = await list({ contract: "BatchSettlement", event: "Deposited" });
  expect(filtered.items.map(({ event }) => event)).toEqual(["Deposited"]);
});

test("tells live what is added, retracted by a reorganisation, added again and confirmed", async () => {
  const { cursor } = await list();
  let opened = () => {};
  const isOpen = new Promise<void>((done) => {
    opened = done;
  });
  const isDone = (messages: readonly Message[]) =>
    ["added", "retracted", "added"].every((change, at) => distinct(messages)[at] === change) &&
    messages.some(
      ({ event, data }) =>
        event === "confirmed" && Number((data as { confirmedTo: string }).confirmedTo) >= lastBlock,
    );
  let lastBlock = Number.POSITIVE_INFINITY;
  const reading = follow(isDone, { lastEventId: cursor, onOpen: opened });
  await isOpen;
  const before = await chain().snapshot();
  await deposit();
  await until(
    () => list({ cursor }),
    ({ items }) => items.some(({ event }) => event === "Deposited"),
  );
  await chain().revert({ id: before });
  await chain().mine({ blocks: 1 });
  // The service's transaction was in the block that is gone: it is sent again.
  const again = await until(
    () => list({ cursor }),
    ({ items }) => distinctOf(items).join() === "added,retracted,added",
  );
  lastBlock = Number(again.items.at(-1)?.blockNumber);
  await chain().mine({ blocks: 10 });
  const told = await reading;
  const retracted = changes(told).filter(({ event }) => event === "retracted");
  expect(retracted.length).toBeGreaterThan(0);
  const now = await until(
    () => list({ cursor }),
    ({ confirmedTo }) => Number(confirmedTo) >= lastBlock,
  );
  expect(changes(told).map(({ id }) => id)).toEqual(now.items.map((item) => item.cursor));
  expect(new Set(now.items.map(({ status }) => status))).toEqual(new Set(["retracted", "confirmed"]));
});

test("goes on after a disconnect without a gap or a repeat", async () => {
  const { items } = await list();
  const half = items[items.length >> 1]?.cursor ?? "";
  const first = changes(await follow((messages) => messages.some(({ id }) => id === half)));
  const rest = changes(
    await follow((messages) => messages.some(({ id }) => id === items.at(-1)?.cursor), { lastEventId: half }),
  );
  const until_ = first.findIndex(({ id }) => id === half);
  expect([...first.slice(0, until_ + 1), ...rest].map(({ id }) => id)).toEqual(
    items.map((item) => item.cursor),
  );
});

test("refuses a cursor of another chain, one that is none, and names that are not known", async () => {
  const { cursor } = await list();
  const other = cursor.replace(/^\d+/, (runId) => String(Number(runId) + 1));
  await expect(list({ cursor: other })).rejects.toMatchObject({ code: "FEED_ENDED" });
  for (const query of [{ cursor: "x" }, { contract: "Nobody" }, { event: "Nothing" }])
    await expect(list(query)).rejects.toMatchObject({ code: "VALIDATION_INVALID_INPUT" });
  const stream = await fetch(`${stack.apiUrl}/api/v1/events/stream?cursor=${other}`);
  expect(stream.status).toBe(410);
});

test("two instances on one database tell the same feed, also through a reorganisation", async () => {
  const second = await startSecondService(stack, {
    BURSAR_FINALITY_DEPTH_BLOCKS: "8",
    BURSAR_STREAM_HEARTBEAT_MS: "500",
    BURSAR_SENDER_REPLACE_AFTER_MS: "1000",
  });
  try {
    const { cursor } = await list();
    const ending = new AbortController();
    const told = [stack.apiUrl, second.url].map((url) => {
      const changes: string[] = [];
      const ended = (async () => {
        for await (const message of followFeed({ url, cursor, signal: ending.signal }))
          if (message.change !== "confirmed") changes.push(`${message.change} ${message.cursor}`);
      })().catch(() => {});
      return { changes, ended };
    });
    const before = await chain().snapshot();
    await deposit();
    await until(
      () => list({ cursor }),
      ({ items }) => items.some(({ event }) => event === "Deposited"),
    );
    await chain().revert({ id: before });
    await chain().mine({ blocks: 1 });
    const { items } = await until(
      () => list({ cursor }),
      ({ items: found }) => distinctOf(found).join() === "added,retracted,added",
    );
    const wanted = items.map((item) => `${item.change} ${item.cursor}`);
    for (const { changes } of told) await eventually(() => changes).toEqual(wanted);
    ending.abort();
    await Promise.all(told.map(({ ended }) => ended));
    const other = createClient({ url: second.url });
    expect((await other.events.list({ cursor, limit: 200 })).items).toEqual((await list({ cursor })).items);
  } finally {
    // Stopped in order it would take the database along, which it shares with the first.
    second.child.kill("SIGKILL");
    await second.exited;
  }
});

test("a filter that matches nothing gives a place at the end, from which nothing later is missed", async () => {
  const nothing = await list({ contract: "BatchSettlement", event: "Refunded" });
  const everything = await list();
  expect([nothing.items, nothing.cursor]).toEqual([[], everything.cursor]);
  await deposit();
  const later = await until(
    () => list({ cursor: nothing.cursor, event: "Deposited" }),
    ({ items }) => items.length > 0,
  );
  expect(later.items).toHaveLength(1);
});

const distinctOf = (items: readonly { change: string }[]) =>
  items.map(({ change }) => change).filter((change, at, all) => change !== all[at - 1]);
const distinct = (messages: readonly Message[]) =>
  distinctOf(changes(messages).map(({ event }) => ({ change: event })));

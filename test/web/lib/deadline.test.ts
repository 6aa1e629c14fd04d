import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { createClient } from "#offchain/sdk/client.ts";
import { isPassing } from "#offchain/sdk/http/retry.ts";
import { explain } from "@/lib/failure.ts";

const servers: ReturnType<typeof createServer>[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

/** Answers with this much and then falls silent, as a service that was stopped (SIGSTOP) does. */
async function silent(type: string, beginning: string | null): Promise<string> {
  const server = createServer((_, response) => {
    if (beginning === null) return;
    response.writeHead(200, { "content-type": type });
    response.write(beginning);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const told = (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error);
const deadlines = { readMs: 100, writeMs: 200 };

test("a read that nobody answers ends at its deadline, typed, and may be tried again", async () => {
  const error = await told(createClient({ url: await silent("", null), deadlines }).wallets.list());
  expect(error).toMatchObject({ code: "SERVICE_UNREACHABLE", facts: { method: "GET", deadlineMs: 100 } });
  expect(isPassing(error)).toBe(true);
  expect(explain(error)).toMatchObject({ kind: "unreachable", detail: "It gave no answer within 0.1 s." });
});

test("of a write that nobody answers, a person is told that it may have arrived", async () => {
  const client = createClient({ url: await silent("", null), deadlines });
  const error = await told(client.treasury.execute({ proposalId: `0x${"11".repeat(32)}` }));
  expect(explain(error)).toMatchObject({
    kind: "unreachable",
    next: "We do not know whether it arrived. Look under Signatures before you try again.",
  });
});

test("an answer that stops in the middle ends as well", async () => {
  const client = createClient({ url: await silent("application/json", '{"items":'), deadlines });
  expect(explain(await told(client.wallets.list())).kind).toBe("unreachable");
});

test("an answer in time is an answer, and whoever aborts gets their own reason", async () => {
  const fetch = async () => Response.json({ items: [], next: null });
  const client = createClient({ url: "http://bursar.test", fetch, deadlines });
  expect(await client.wallets.list()).toEqual({ items: [], next: null });
  const call = createClient({ url: await silent("", null), deadlines }).wallets.list(
    {},
    { signal: AbortSignal.abort(new Error("enough")) },
  );
  await expect(call).rejects.toThrow("enough");
});

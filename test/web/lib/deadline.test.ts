import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { createClient } from "#offchain/sdk/client.ts";
import { isPassing } from "#offchain/sdk/http/retry.ts";
import { readConfig } from "@/lib/config.ts";
import { explain } from "@/lib/failure.ts";
import { createService } from "@/lib/session.tsx";

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
    next: "We do not know whether it arrived. Wait until the service answers, and look whether it was done.",
  });
});

test("an answer that stops in the middle ends as well", async () => {
  const client = createClient({ url: await silent("application/json", '{"items":'), deadlines });
  expect(explain(await told(client.wallets.list())).kind).toBe("unreachable");
});

test("a page waits for what changes something as long as the service does for a block, and no longer to read", async () => {
  vi.useFakeTimers();
  const { stop } = hanging();
  try {
    const service = createService(readConfig({}));
    const [executed, listed] = [
      told(service.treasury.execute({ proposalId: `0x${"11".repeat(32)}` })),
      told(service.wallets.list()),
    ];
    const ended: string[] = [];
    void executed.then(() => ended.push("execution"));
    void listed.then(() => ended.push("list"));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ended).toEqual(["list"]);
    // The service waits for a block up to 90 s.
    await vi.advanceTimersByTimeAsync(85_000);
    expect(ended).toEqual(["list"]);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(explain(await executed)).toMatchObject({ kind: "unreachable" });
  } finally {
    stop();
    vi.useRealTimers();
  }
});

/** No request of a page is answered, until it is stopped. */
function hanging(): { stop: () => void } {
  const fetch = vi.spyOn(globalThis, "fetch").mockImplementation(
    (_, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
      }),
  );
  return { stop: () => fetch.mockRestore() };
}

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

import { expect, it, vi } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import { type Retry, untilAnswered } from "#offchain/sdk/http/retry.ts";

/** Fails with each error in turn, then answers how often it was asked. */
function failing(...errors: unknown[]) {
  let calls = 0;
  return async () => {
    calls += 1;
    if (errors.length > 0) throw errors.shift();
    return calls;
  };
}

it("asks again after a lost connection, a restart, an overload and a rate limit", async () => {
  const call = failing(
    new TypeError("fetch failed"),
    new BursarError("SHUTTING_DOWN", "stopping"),
    new BursarError("OVERLOADED", "busy"),
    new BursarError("RATE_LIMITED", "slowly", { facts: { retryAfterMs: 5 } }),
  );
  expect(await untilAnswered(call)).toBe(5);
});

it("takes a refusal as the answer", async () => {
  const call = failing(new BursarError("VOUCHER_FORGED", "no"));
  await expect(untilAnswered(call)).rejects.toMatchObject({ code: "VOUCHER_FORGED" });
});

it("gives up with the last error at the deadline", async () => {
  const call = () => Promise.reject(new TypeError("fetch failed"));
  await expect(untilAnswered(call, { deadlineMs: 120 })).rejects.toThrow("fetch failed");
});

it("stops when it is told to", async () => {
  const stopping = new AbortController();
  const call = async () => {
    stopping.abort(new Error("enough"));
    throw new TypeError("fetch failed");
  };
  await expect(untilAnswered(call, { signal: stopping.signal })).rejects.toThrow(/enough|aborted/);
});

it("tells of each further try, and by itself says a word once a call has waited for seconds", async () => {
  const told: Retry[] = [];
  const error = new TypeError("fetch failed");
  await untilAnswered(failing(error, error), { onRetry: (retry) => told.push(retry) });
  expect(told.map(({ attempt }) => attempt)).toEqual([1, 2]);

  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  try {
    const calls = [1, 2].map(() => untilAnswered(() => Promise.reject(error), { deadlineMs: 6_000 }));
    const ended = Promise.allSettled(calls);
    await vi.advanceTimersByTimeAsync(2_500);
    expect(warn).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(6_000);
    await ended;
    expect(warn.mock.calls).toEqual([["bursar: fetch failed; tried for 4 s, given up after 6 s"]]);
  } finally {
    warn.mockRestore();
    vi.useRealTimers();
  }
});

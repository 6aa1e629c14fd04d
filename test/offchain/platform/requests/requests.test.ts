import { expect, test } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import { runOnce } from "#offchain/platform/requests/requests.ts";
import { seenInMemory } from "../../support/service.ts";

const proof = { digest: `0x${"11".repeat(32)}`, endsAt: 0 } as const;
const other = { digest: `0x${"22".repeat(32)}`, endsAt: 0 } as const;

/** Work that ends when the test lets it, and how often it was begun. */
function work() {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const done = {
    begun: 0,
    resolve,
    reject,
    run: () => {
      done.begun += 1;
      return promise;
    },
  };
  return done;
}

test("the same request eight times at once runs once, and all get its answer; so does one that comes later", async () => {
  const once = runOnce(seenInMemory());
  const done = work();
  const answers = Array.from({ length: 8 }, () => once(proof, done.run));
  const another = once(other, async () => 2);
  expect(await another).toBe(2);
  done.resolve(1);
  expect(await Promise.all(answers)).toEqual(new Array(8).fill(1));
  expect(await once(proof, () => Promise.reject(new Error("run again")))).toBe(1);
  expect(done.begun).toBe(1);
});

test("a refusal is told to all who wait for it", async () => {
  const once = runOnce(seenInMemory());
  const done = work();
  const answers = Array.from({ length: 3 }, () => once(proof, done.run));
  done.reject(new BursarError("FORBIDDEN", "no"));
  for (const answer of await Promise.allSettled(answers))
    expect(answer).toMatchObject({ status: "rejected", reason: { code: "FORBIDDEN" } });
  await expect(once(proof, done.run)).rejects.toMatchObject({ code: "FORBIDDEN" });
  expect(done.begun).toBe(1);
});

test("another instance does not know the answer before it is there, and says so", async () => {
  const seen = seenInMemory();
  const [here, there] = [runOnce(seen), runOnce(seen)];
  const done = work();
  const answer = here(proof, done.run);
  await expect(there(proof, done.run)).rejects.toMatchObject({ code: "REQUEST_REPEATED", remedy: "sign" });
  done.resolve(1);
  expect(await answer).toBe(1);
  expect(await there(proof, done.run)).toBe(1);
  expect(done.begun).toBe(1);
});

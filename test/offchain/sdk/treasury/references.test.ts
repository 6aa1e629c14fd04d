import { size, slice } from "viem";
import { expect, it } from "vitest";
import type { States } from "#offchain/sdk/states.ts";
import { openReferences } from "#offchain/sdk/treasury/references.ts";

function memory() {
  const kept = new Map<string, unknown>();
  const durable: string[] = [];
  const states: States = {
    load: async (name) => kept.get(name) ?? null,
    async save(name, state, isDurable) {
      // A later save overtakes no earlier one, but a later load may.
      await Promise.resolve();
      if (isDurable) durable.push(name);
      kept.set(name, state);
    },
  };
  return { states, durable };
}

const wordOf = (reference: `0x${string}`) => slice(reference, 0, 31);

it("lets 255 of 256 references share their word with an earlier one, and gives none twice", async () => {
  const { states } = memory();
  const next = openReferences(states, "0xA");
  const given = await Promise.all(Array.from({ length: 1_000 }, () => next("0xB")));
  expect(new Set(given).size).toBe(1_000);
  expect(given.every((reference) => size(reference) === 32)).toBe(true);
  expect(new Set(given.map(wordOf)).size).toBe(Math.ceil(1_000 / 256));
});

it("goes on after a restart where it was, each reference remembered durably before it is given", async () => {
  const { states, durable } = memory();
  const first = await openReferences(states, "0xA")("0xB");
  expect(durable).toHaveLength(1);
  const second = await openReferences(states, "0xA")("0xb");
  expect(BigInt(second)).toBe(BigInt(first) + 1n);
});

it("counts for each Treasury and each spender by itself, under prefixes that nobody can guess", async () => {
  const { states } = memory();
  const words = [
    await openReferences(states, "0xA")("0xB"),
    await openReferences(states, "0xA")("0xC"),
    await openReferences(states, "0xD")("0xB"),
  ].map(wordOf);
  expect(new Set(words).size).toBe(3);
});

it("goes on after a save that failed", async () => {
  const { states } = memory();
  let isFull = true;
  const next = openReferences(
    {
      ...states,
      async save(...saved) {
        if (isFull) throw new Error("no space left on the device");
        return states.save(...saved);
      },
    },
    "0xA",
  );
  await expect(next("0xB")).rejects.toThrow("no space left");
  isFull = false;
  expect(size(await next("0xB"))).toBe(32);
});

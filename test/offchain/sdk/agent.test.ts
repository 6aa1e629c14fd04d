import fc from "fast-check";
import { keccak256, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { describe, expect, it } from "vitest";
import { createAgent } from "#offchain/sdk/agent.ts";
import type { States } from "#offchain/sdk/states.ts";

const account = privateKeyToAccount(keccak256(toHex("agent")));
const [ann, bob] = ["ann", "bob"].map((name) => privateKeyToAccount(keccak256(toHex(name))).address) as [
  `0x${string}`,
  `0x${string}`,
];
const contract = privateKeyToAccount(keccak256(toHex("contract"))).address;

interface Sent {
  to: string;
  amount: string;
  reference: string;
  signature: string;
}

/** What the service makes of a spend. `lost`: it is done, and the answer is lost. */
type Fate = "paid" | "refused" | "lost";

const memory = (): States => {
  const kept = new Map<string, string>();
  return {
    load: async (name) => JSON.parse(kept.get(name) ?? "null"),
    save: async (name, state) => void kept.set(name, JSON.stringify(state)),
  };
};

/** An agent before a service that takes its spends as it is told to, the last fate for ever; what is done it never refuses. */
function agentBefore(fates: Fate[], states: States = memory()) {
  const sent: Sent[] = [];
  const done = new Set<string>();
  const fetch = async (_: unknown, init?: RequestInit) => {
    const spend = JSON.parse(String(init?.body)) as Sent;
    sent.push(spend);
    const next = fates.length > 1 ? fates.shift() : fates[0];
    const fate = next === "refused" && done.has(spend.signature) ? "paid" : next;
    if (fate !== "refused") done.add(spend.signature);
    if (fate === "lost") throw new TypeError("fetch failed");
    const refusal = { error_code: "POLICY_DENIED", message: "above the line", facts: {} };
    return fate === "refused"
      ? Response.json(refusal, { status: 403 })
      : Response.json({ transactionHash: "0x1", outcome: "paid", proposalId: null, readyAt: null });
  };
  const places = { usdc: contract, treasury: contract, clearing: contract };
  const options = { url: "http://service.test", chainId: 31337, states, retry: { deadlineMs: 1 } };
  return { agent: createAgent({ account, ...options, ...places, fetch }), sent, done };
}

describe("a spend", () => {
  it("is refused under a used key with other facts, before anything is sent", async () => {
    const { agent, sent } = agentBefore(["paid"]);
    await agent.spend({ key: "h1", to: ann, amount: "100" });
    for (const other of [{ to: bob }, { amount: "7" }])
      await expect(agent.spend({ key: "h1", to: ann, amount: "100", ...other })).rejects.toMatchObject({
        code: "IDEMPOTENCY_CONFLICT",
        remedy: "fix",
      });
    expect(sent).toHaveLength(1);
    await agent.spend({ key: "h1", to: ann.toLowerCase() as typeof ann, amount: "100.0" });
    expect(sent[1]).toEqual(sent[0]);
  });

  it("may be corrected under its key once it was refused", async () => {
    const { agent, sent } = agentBefore(["refused", "paid"]);
    await expect(agent.spend({ key: "big", to: ann, amount: "1001" })).rejects.toMatchObject({
      code: "POLICY_DENIED",
    });
    await agent.spend({ key: "big", to: ann, amount: "5" });
    expect(sent.map(({ amount }) => amount)).toEqual(["1001000000", "5000000"]);
  });

  it("has references one after another, so that they share a word of the contract", async () => {
    const { agent, sent } = agentBefore(["paid"]);
    for (const key of ["a", "b", "c"]) await agent.spend({ key, to: ann, amount: "1" });
    const [first = 0n, ...others] = sent.map(({ reference }) => BigInt(reference));
    expect(others).toEqual([first + 1n, first + 2n]);
  });

  it("is the same request after a lost answer and a restart, and no other meanwhile", async () => {
    const states = memory();
    const before = agentBefore(["lost"], states);
    const spend = { key: "a", to: ann, amount: "1" };
    await expect(before.agent.spend(spend)).rejects.toMatchObject({ code: "SERVICE_UNREACHABLE" });
    const after = agentBefore(["paid"], states);
    await expect(after.agent.spend({ ...spend, amount: "2" })).rejects.toMatchObject({
      code: "IDEMPOTENCY_CONFLICT",
    });
    await after.agent.spend(spend);
    expect(after.sent).toEqual(before.sent.slice(0, 1));
  });

  it("never has two signed requests that might both be done under one key, whatever is asked at once", () => {
    const ask = fc.record({ to: fc.constantFrom(ann, bob), amount: fc.constantFrom("1", "2") });
    const fate = fc.constantFrom<Fate>("paid", "refused", "lost");
    return fc.assert(
      fc.asyncProperty(
        fc.array(ask, { minLength: 1, maxLength: 6 }),
        fc.array(fate, { minLength: 7, maxLength: 7 }),
        async (asks, fates) => {
          const { agent, done } = agentBefore(fates);
          await Promise.allSettled(asks.map((one) => agent.spend({ key: "k", ...one })));
          expect(done.size).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("what cannot be an address", () => {
  it("is named, and nothing is sent", async () => {
    const { agent, sent } = agentBefore(["paid"]);
    await expect(agent.spend({ key: "a", to: "0x…", amount: "1" })).rejects.toMatchObject({
      code: "VALIDATION_INVALID_INPUT",
      fields: [{ field: "to" }],
    });
    expect(sent).toEqual([]);
    expect(() =>
      createAgent({
        account,
        url: "http://service.test",
        chainId: 1,
        usdc: "0x…",
        treasury: contract,
        clearing: contract,
        states: memory(),
      }),
    ).toThrow(/usdc must be an address/);
  });
});

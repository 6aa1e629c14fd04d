import { describe, expect, it } from "vitest";
import {
  type AccountName,
  accountKind,
  accountKinds,
  agentAccount,
  externalKinds,
} from "#offchain/features/ledger/rules/transfer.ts";
import { accountName } from "#offchain/features/ledger/schema.ts";

describe("the kind of an account", () => {
  it.each(accountKinds)("%s is the word before the first colon, whatever follows", (kind) => {
    for (const rest of ["x", "a:b", "chain:1", ":", "0xABC"])
      expect(accountKind(`${kind}:${rest}` as AccountName)).toBe(kind);
  });

  it("is not taken from what somebody wrote behind it: an agent does not become a chain", () => {
    expect(accountKind("agent:chain:1")).toBe("agent");
    expect(accountKind("issuer:society:s")).toBe("issuer");
  });

  it("is one word each, so that no kind begins another's name", () => {
    for (const kind of accountKinds) {
      expect(kind).toMatch(/^[a-z]+$/);
      expect(accountKinds.filter((other) => `${other}:`.startsWith(`${kind}:`))).toEqual([kind]);
    }
    expect(new Set(accountKinds).size).toBe(accountKinds.length);
  });
});

describe("who may owe", () => {
  it("is the world outside, and nobody else", () => {
    expect([...externalKinds].toSorted()).toEqual(["capacity", "chain", "grid", "issuer"]);
  });

  it.each(["agent", "channel", "payee", "treasury", "fees", "society", "worker"] as const)(
    "is never %s: money does not come from there",
    (kind) => {
      expect(accountKinds).toContain(kind);
      expect(externalKinds.has(kind)).toBe(false);
    },
  );

  it("are kinds that there are", () => {
    for (const kind of externalKinds) expect(accountKinds).toContain(kind);
  });
});

describe("an account's name from outside", () => {
  it.each(accountKinds)("may be of kind %s, with something behind the colon", (kind) => {
    expect(accountName.safeParse(`${kind}:x`)).toMatchObject({ success: true, data: `${kind}:x` });
    expect(accountName.safeParse(`${kind}:`).success).toBe(false);
    expect(accountName.safeParse(kind).success).toBe(false);
  });

  it("has one spelling: an address in it is lower case, however it was written", () => {
    const address = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
    for (const name of [
      address,
      address.toLowerCase(),
      `agent:${address}`,
      `agent:0x${address.slice(2).toUpperCase()}`,
    ])
      expect(accountName.parse(name)).toBe(agentAccount(address));
    expect(accountName.parse(`payee:7:${address}`)).toBe(`payee:7:${address.toLowerCase()}`);
    expect(accountName.parse(`worker:${address}`)).toBe(`worker:${address.toLowerCase()}`);
    expect(accountName.parse("society:Solar-1")).toBe("society:Solar-1");
  });

  it("is of no kind that there is not, by prefix, case or blank", () => {
    for (const name of ["bank:x", "agents:x", "Agent:x", " agent:x", "x agent:x", "agent:x y", "agent:x\n"])
      expect([name, accountName.safeParse(name).success]).toEqual([name, false]);
  });
});

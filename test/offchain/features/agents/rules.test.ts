import fc from "fast-check";
import { getAddress } from "viem";
import { describe, expect, test } from "vitest";
import { addresses } from "#addresses";
import { didOf, nameFault, reservedNames, shownName } from "#offchain/features/agents/rules.ts";

/** The account in the examples of the did:pkh method's specification (w3c-ccg/did-pkh). */
const specified = "0xb9c5714089478a327f09197987f16f9e5d936e8a";

test("an agent's DID is did:pkh over its CAIP-10 account, as the method's specification writes it", () => {
  expect(didOf(1, specified)).toBe(`did:pkh:eip155:1:${specified}`);
  // CAIP-10: chain_id ":" account_address, of CAIP-2's namespace eip155.
  expect(didOf(8453, specified)).toMatch(
    /^did:pkh:[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}:[-.%a-zA-Z0-9]{1,128}$/,
  );
});

test("the same address is another agent on another chain", () => {
  expect(didOf(1, specified)).not.toBe(didOf(11, specified));
  expect(didOf(31_337, specified)).toBe(`did:pkh:eip155:31337:${specified}`);
});

test("an address is written as it came: which spelling is the agent's is decided where it registers", () => {
  const checksummed = getAddress(specified);
  expect(didOf(1, checksummed)).toBe(`did:pkh:eip155:1:${checksummed}`);
  expect(didOf(1, checksummed)).not.toBe(didOf(1, specified));
});

describe("a name that somebody chooses for itself", () => {
  test.each([
    "Ada",
    "Researcher",
    "Agent 4",
    "O’Neil & Sons",
    "Dr. Ünal-Çelik",
    "数据代理",
    "עדה",
    "vitalik.eth",
    "Robo 🤖",
    "GPT-5/mini",
  ])("may be %s", (name) => {
    expect(nameFault(name)).toBeNull();
    expect(shownName(name)).toBe(name);
  });

  test.each([
    ["a zero-width space", "A\u200bda", "Ada"],
    ["a direction override", "\u202eadA", "adA"],
    ["an isolate", "Ada\u2066", "Ada"],
    ["a line feed", "Ada\nPay 0 USDC", "AdaPay 0 USDC"],
    ["a no-break space", "Ada\u00a0L", "AdaL"],
    ["a filler that looks blank", "Ada\u3164", "Ada"],
    ["a tag", "Ada\u{e0041}", "Ada"],
    ["a quotation mark", 'Ada" (0', "Ada· ·0"],
    ["a curly one", "Ada”", "Ada·"],
    ["a semicolon", "Atlas Data; Pay 0 USDC to nobody", "Atlas Data· Pay 0 USDC to nobody"],
    ["a bracket", "Ada (checked)", "Ada ·checked·"],
    ["a heap of marks", `Ada${"\u0301".repeat(9)}`, `Ada${"\u0301".repeat(3)}`],
  ])("has no %s; one that is stored already is cleaned", (_, name, shown) => {
    expect(nameFault(name)).not.toBeNull();
    expect(shownName(name)).toBe(shown);
  });

  test.each([
    "Treasury",
    "the Treasury",
    "The  TREASURY contract",
    "Treasury 2",
    "Тrеаsurу",
    "𝐓reasury",
    "Treasur\u00fd",
    "Trea5ury",
    "Escrow",
    "Εscrοw",
    "Operator",
    "0perator",
    "Owner 1",
    "USDC",
    "UЅDС",
    "self-chosen name",
  ])("is not %s, which Bursar itself uses", (name) => {
    expect(nameFault(name)).toBe("must not be, or look like, a name that Bursar itself uses");
    expect(shownName(name)).toBeNull();
  });

  test.each([
    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "0x7099",
    "0х7099",
    "Ada 0x70",
    "70997970C51812dc3A01",
    "Ox70997970",
  ])("does not look like an address: %s", (name) =>
    expect(nameFault(name)).toBe("must not look like an address"),
  );

  test("every deployed contract's name is reserved", () => {
    for (const name of Object.keys(addresses[31337])) {
      expect(nameFault(name), name).not.toBeNull();
      expect(nameFault(`the ${name} contract`), name).not.toBeNull();
    }
    for (const name of reservedNames) expect(nameFault(name), name).not.toBeNull();
  });

  test("what is shown of any text may be chosen, or is nothing", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 64 }), (stored) => {
        const shown = shownName(stored);
        if (shown !== null) expect([nameFault(shown), shownName(shown)]).toEqual([null, shown]);
      }),
    );
  });
});

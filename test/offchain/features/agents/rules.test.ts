import { getAddress } from "viem";
import { expect, test } from "vitest";
import { didOf } from "#offchain/features/agents/rules.ts";

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

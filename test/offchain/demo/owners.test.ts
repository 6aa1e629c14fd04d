import { keccak256, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { expect, it } from "vitest";
import { approveAll } from "#offchain/demo/owners.ts";
import { recoverAddress } from "#offchain/platform/chain/signatures/secp256k1.ts";

const owners = ["one", "two"].map((name) => privateKeyToAccount(keccak256(toHex(name))));
const proposalId = keccak256(toHex("proposal"));

/** The approval rules of the service in memory: the subject is who signs what, in which order. */
function treasury(threshold: number) {
  const signed: (string | null)[] = [];
  const executed: string[] = [];
  const view = () => ({
    proposalId,
    state: executed.length > 0 ? "executed" : signed.length >= threshold ? "ready" : "open",
    missing: owners.map(({ address }) => address).filter((address) => !signed.includes(address)),
  });
  const client = {
    treasury: {
      proposals: async ({ state }: { state: string }) => ({
        items: view().state === state ? [view()] : [],
        next: null,
      }),
      approve: async ({ signature }: { signature: `0x${string}` }) => {
        signed.push(recoverAddress(proposalId, signature));
        return view();
      },
      execute: async () => {
        executed.push(proposalId);
        return view();
      },
    },
  } as unknown as Parameters<typeof approveAll>[0];
  return { client, signed, executed };
}

it("signs as each missing owner and executes what is ready", async () => {
  const { client, signed, executed } = treasury(2);
  expect(await approveAll(client, owners)).toEqual([proposalId]);
  expect([signed, executed]).toEqual([owners.map(({ address }) => address), [proposalId]]);
});

it("signs no more than the quorum takes", async () => {
  const { client, signed } = treasury(1);
  await approveAll(client, owners);
  expect(signed).toEqual([owners[0]?.address]);
});

it("executes nothing without the quorum", async () => {
  const { client, executed } = treasury(3);
  expect(await approveAll(client, owners)).toEqual([]);
  expect(executed).toEqual([]);
});

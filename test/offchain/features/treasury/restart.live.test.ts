import { createWalletClient, encodeFunctionData, erc20Abi, type Hex, http, parseUnits } from "viem";
import { expect, test } from "vitest";
import { treasuryAbi } from "#contracts";
import { hardhat } from "#offchain/core/localChain.ts";
import { contentOf, typedProposal } from "#offchain/sdk/treasury/proposal.ts";
import {
  account,
  chainId,
  contracts,
  startTestStack,
  type TestStack,
  testChain,
  until,
} from "../../support/stack.ts";

const [first, second, third, stranger, shop] = [account(1), account(2), account(3), account(6), account(5)];
const amount = parseUnits("17", 6);

/** A payment that the first owner proposes and the two others sign. */
async function signedProposal({ client, rpcUrl }: TestStack, nonce: bigint) {
  const data = encodeFunctionData({ abi: erc20Abi, functionName: "transfer", args: [shop.address, amount] });
  await createWalletClient({ account: first, chain: hardhat, transport: http(rpcUrl) }).writeContract({
    address: contracts.Treasury,
    abi: treasuryAbi,
    functionName: "propose",
    args: [
      [{ to: contracts.TestUSDC, value: 0n, data }],
      nonce,
      BigInt(Math.floor(Date.now() / 1_000) + 86_400),
    ],
  });
  const { items } = await until(
    () => client.treasury.proposals(),
    (page) => page.items.some((one) => one.nonce === nonce.toString()),
  );
  const proposal = items.find((one) => one.nonce === nonce.toString());
  if (!proposal) throw new Error("the proposal was not indexed");
  const { proposalId } = proposal;
  const typed = typedProposal(proposal, { chainId, address: contracts.Treasury });
  // Ascending by owner, as the contract takes them.
  const owners = [second, third].toSorted((one, other) =>
    BigInt(one.address) < BigInt(other.address) ? -1 : 1,
  );
  const signatures: Hex[] = [];
  for (const owner of owners) {
    const signature = await owner.signTypedData(typed);
    await client.treasury.approve({ proposalId, owner: owner.address, signature });
    signatures.push(signature);
  }
  return { proposal, signatures };
}

type Signed = Awaited<ReturnType<typeof signedProposal>>;

/** By whoever kept the signatures. */
async function executeAsStranger(stack: TestStack, { proposal, signatures }: Signed): Promise<Hex> {
  const { calls, nonce, deadline } = contentOf(proposal);
  const wallet = createWalletClient({ account: stranger, chain: hardhat, transport: http(stack.rpcUrl) });
  const hash = await wallet.writeContract({
    address: contracts.Treasury,
    abi: treasuryAbi,
    functionName: "execute",
    args: [calls, nonce, deadline, signatures],
  });
  await testChain(stack).waitForTransactionReceipt({ hash });
  return hash;
}

const balanceOfShop = (stack: TestStack) =>
  testChain(stack).readContract({
    address: contracts.TestUSDC,
    abi: erc20Abi,
    functionName: "balanceOf",
    args: [shop.address],
  });

// Two whole services, one after the other: on a machine under load that takes minutes.
test("what a stranger executes on a restarted chain, by signatures of the one before, is followed and told", {
  timeout: 600_000,
}, async () => {
  const before = await startTestStack({}, { isKept: true });
  const open = await signedProposal(before, 501n);
  const done = await signedProposal(before, 502n);
  const { proposalId: doneId } = done.proposal;
  const first = await before.client.treasury.execute({ proposalId: doneId });
  expect(first).toMatchObject({ state: "executed", unfollowed: false });
  await before.stop();

  const after = await startTestStack({}, { dataDir: before.dataDir });
  try {
    const { client } = after;
    const shown = (proposalId: Hex) => client.treasury.proposal({ proposalId });
    const { proposalId: openId } = open.proposal;
    expect(await shown(openId)).toMatchObject({ state: "lost", unfollowed: true, quorum: null });
    expect(await shown(doneId)).toMatchObject({ state: "executed", unfollowed: true, quorum: null });
    const served = JSON.stringify([
      await client.treasury.proposals(),
      await shown(openId),
      await shown(doneId),
    ]);
    for (const signature of [...open.signatures, ...done.signatures])
      expect(served, "nobody gets a signature").not.toContain(signature.slice(2));
    expect((await client.overview.show()).proposals).toEqual({ waiting: 0, executed: 0 });

    const held = await balanceOfShop(after);
    for (const signed of [open, done]) {
      const hash = await executeAsStranger(after, signed);
      const told = await until(
        () => shown(signed.proposal.proposalId),
        ({ transactionHash }) => transactionHash === hash,
      );
      expect(told).toMatchObject({ state: "executed", unfollowed: false });
    }
    expect(await balanceOfShop(after)).toBe(held + 2n * amount);
    expect((await client.overview.show()).proposals).toEqual({ waiting: 0, executed: 2 });
  } finally {
    await after.stop();
  }
});

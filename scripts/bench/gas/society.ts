import {
  encodeFunctionData,
  type Hex,
  keccak256,
  maxUint256,
  numberToHex,
  parseEther,
  stringToHex,
  toHex,
  zeroHash,
} from "viem";
import bursar from "../../ignition/modules/Bursar.ts";
import type { Connection } from "./connection.ts";
import { type Block, headerOf } from "./header.ts";

const day = 86_400;
const salt = keccak256(toHex("salt"));

/** Gas of auctions, disputes, attestations and votes: what agents and their humans call less often. */
export async function societyGas(connection: Connection): Promise<Record<string, bigint>> {
  return {
    ...(await auctionGas(connection)),
    ...(await voteGas(connection)),
    ...(await disputeGas(connection)),
  };
}

async function auctionGas({ viem, ignition, networkHelpers }: Connection): Promise<Record<string, bigint>> {
  const client = await viem.getPublicClient();
  const wallets = (await viem.getWalletClients()).slice(4, 7);
  const gasOf = async (hash: Hex) => (await client.waitForTransactionReceipt({ hash })).gasUsed;
  const {
    scrip,
    vickreyAuction: auction,
    accessManager,
    identityRegistry,
    validationRegistry,
    reputationRegistry,
  } = await ignition.deploy(bursar);
  const [admin] = await viem.getWalletClients();
  if (!admin) throw new Error("the network has no accounts");
  await accessManager.write.grantRole([2n, admin.account.address, 0]);
  const calls: Record<string, bigint> = {};
  for (const [index, { account }] of wallets.entries()) {
    const as = { account: account.address };
    await identityRegistry.write.register(as);
    await scrip.write.mint([account.address, 1_000n]);
    await scrip.write.approve([auction.address, 1_000n], as);
    calls["auction: join"] = await gasOf(await auction.write.join([BigInt(index + 1), 100n], as));
  }
  for (let round = 1n; round <= 2n; round += 1n) {
    calls["auction: open a round"] = await gasOf(await auction.write.open());
    const bids = wallets.map(({ account }, index) => ({
      as: { account: account.address },
      agent: BigInt(index + 1),
      amount: BigInt(40 + 10 * index),
    }));
    for (const { as, agent, amount } of bids) {
      const seal = await auction.read.commitmentOf([round, agent, amount, zeroHash, salt]);
      calls["auction: commit"] = await gasOf(await auction.write.commit([agent, seal, amount], as));
    }
    await networkHelpers.time.increase(600);
    for (const { as, agent, amount } of bids)
      calls["auction: reveal"] = await gasOf(await auction.write.reveal([agent, amount, zeroHash, salt], as));
    await networkHelpers.time.increase(300);
    calls["auction: settle"] = await gasOf(await auction.write.settle());
    const [{ as, agent } = { as: {}, agent: 1n }] = bids;
    calls["auction: take a deposit out"] = await gasOf(await auction.write.withdraw([round, agent]));
    calls["auction: claim income"] = await gasOf(
      await auction.write.claimIncome([agent, wallets[0]?.account.address ?? admin.account.address], as),
    );
  }
  const [asOwner, asClient, asValidator] = wallets.map(({ account }) => ({ account: account.address }));
  calls["reputation: feedback without a ticket"] = await gasOf(
    await reputationRegistry.write.giveFeedback([1n, 90n, 0, "speed", "", "", "", zeroHash], asClient),
  );
  const request = keccak256(toHex("request"));
  calls["validation: request"] = await gasOf(
    await validationRegistry.write.validationRequest(
      [wallets[2]?.account.address ?? admin.account.address, 1n, "ipfs://request", request],
      asOwner,
    ),
  );
  calls["validation: response"] = await gasOf(
    await validationRegistry.write.validationResponse(
      [request, 100, "ipfs://response", zeroHash, "tag"],
      asValidator,
    ),
  );
  return calls;
}

async function voteGas({ viem, ignition, networkHelpers }: Connection): Promise<Record<string, bigint>> {
  const client = await viem.getPublicClient();
  const gasOf = async (hash: Hex) => (await client.waitForTransactionReceipt({ hash })).gasUsed;
  const { agentToken, governor, parameterRegistry } = await ignition.deploy(bursar);
  const [voter] = await viem.getWalletClients();
  if (!voter) throw new Error("the network has no accounts");
  await agentToken.write.delegate([voter.account.address]);
  await networkHelpers.time.increase(10);
  const data = encodeFunctionData({
    abi: parameterRegistry.abi,
    functionName: "set",
    args: [stringToHex("maxSlashBps", { size: 32 }), 4_000n],
  });
  const proposal = [[parameterRegistry.address], [0n], [data]] as const;
  const words = "lower the slash";
  const calls: Record<string, bigint> = {};
  calls["governance: propose"] = await gasOf(await governor.write.propose([...proposal, words]));
  const id = await governor.read.hashProposal([...proposal, keccak256(toHex(words))]);
  await networkHelpers.time.increase(day + 1);
  calls["governance: vote"] = await gasOf(await governor.write.castVote([id, 1]));
  calls["token: transfer of delegated AVT"] = await gasOf(
    await agentToken.write.transfer([governor.address, parseEther("1")]),
  );
  return calls;
}

/** A dispute that three of twelve panelists agree on; nobody appeals. */
async function disputeGas({
  viem,
  ignition,
  networkHelpers,
  provider,
}: Connection): Promise<Record<string, bigint>> {
  const client = await viem.getPublicClient();
  const gasOf = async (hash: Hex) => (await client.waitForTransactionReceipt({ hash })).gasUsed;
  const { agentToken, disputes, staking } = await ignition.deploy(bursar);
  const bond = parseEther("1000");
  const calls: Record<string, bigint> = {};
  for (const { account } of (await viem.getWalletClients()).slice(4, 16)) {
    const as = { account: account.address };
    await agentToken.write.transfer([account.address, bond]);
    await agentToken.write.approve([staking.address, maxUint256], as);
    await staking.write.registerValidator([0n], as);
    await staking.write.stake([account.address, bond], as);
    calls["disputes: take a seat"] = await gasOf(await disputes.write.joinPool([1n], as));
  }
  // The second of two: what the first writes of the pool is there already.
  for (let id = 1n; id <= 2n; id += 1n) {
    const value = await disputes.read.arbitrationCost(["0x"]);
    calls["disputes: open"] = await gasOf(await disputes.write.createDispute([2n, "0x"], { value }));
    await networkHelpers.mine(65);
    const [, seedBlock] = await disputes.read.nextDraw();
    const params = [numberToHex(seedBlock), false];
    const block = (await provider.request({ method: "eth_getBlockByNumber", params })) as Block;
    calls["disputes: draw"] = await gasOf(await disputes.write.draw([headerOf(block)]));
    const panel = await disputes.read.panelOf([id, 0n]);
    for (const account of panel) {
      const commitment = await disputes.read.commitmentOf([id, 0n, account, 1n, salt]);
      calls["disputes: commit"] = await gasOf(await disputes.write.commit([id, commitment], { account }));
    }
    for (const account of panel)
      calls["disputes: reveal"] = await gasOf(await disputes.write.reveal([id, 1n, salt], { account }));
    calls["disputes: tally"] = await gasOf(await disputes.write.tally([id]));
    await networkHelpers.time.increase(2 * day);
    calls["disputes: settle the seats"] = await gasOf(await disputes.write.settleSeats([id]));
  }
  return calls;
}

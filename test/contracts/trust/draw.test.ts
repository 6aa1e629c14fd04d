import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { network } from "hardhat";
import { type Address, keccak256, maxUint256, numberToHex, parseEther } from "viem";
import { type Block, headerOf } from "../../../scripts/bench/gas/header.ts";
import bursar from "../../../scripts/ignition/modules/Bursar.ts";

/** Panels drawn on a chain with real blocks: their headers and EIP-4399's randomness. */
describe("Draws of panels", async () => {
  const { viem, ignition, networkHelpers, provider } = await network.create();
  const { disputes, staking, agentToken } = await ignition.deploy(bursar);
  const panelists = (await viem.getWalletClients()).slice(4, 16);
  const bond = parseEther("1000");
  for (const { account } of panelists) {
    await agentToken.write.transfer([account.address, bond]);
    await agentToken.write.approve([staking.address, maxUint256], { account });
    await staking.write.registerValidator([0n], { account });
    await staking.write.stake([account.address, bond], { account });
    await disputes.write.joinPool([1n], { account });
  }
  const create = async () =>
    disputes.write.createDispute([2n, "0x"], { value: await disputes.read.arbitrationCost(["0x"]) });
  const seedHeader = async () => {
    const [, seedBlock] = await disputes.read.nextDraw();
    const block = (await provider.request({
      method: "eth_getBlockByNumber",
      params: [numberToHex(seedBlock), false],
    })) as Block;
    const header = headerOf(block);
    assert.equal(keccak256(header), block.hash);
    return header;
  };
  const isDrawn = async (id: bigint) => {
    const panel = await disputes.read.panelOf([id, 0n]);
    const known = new Set<Address>(panelists.map(({ account }) => account.address));
    assert.equal(new Set(panel.map((seat) => seat.toLowerCase())).size, 3);
    for (const seat of panel) assert(known.has(seat.toLowerCase() as Address), seat);
  };

  it("take the header of the block that seeds them", async () => {
    await create();
    await networkHelpers.mine(65);
    await disputes.write.draw([await seedHeader()]);
    await isDrawn(1n);
  });

  it("take a later block when the hash is gone: Hardhat keeps no history", async () => {
    await create();
    await networkHelpers.mine(500);
    await disputes.write.draw([await seedHeader()]);
    assert.equal((await disputes.read.panelOf([2n, 0n])).length, 0);
    await networkHelpers.mine(65);
    await disputes.write.draw([await seedHeader()]);
    assert.equal((await disputes.read.panelOf([2n, 0n])).length, 3);
  });
});

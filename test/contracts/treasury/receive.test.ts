import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { network } from "hardhat";
import { getAddress, zeroHash } from "viem";

/** What a transaction costs before it runs, and what Solidity's `transfer()` leaves to whoever takes coin. */
const intrinsicGas = 21_000n;
const stipend = 2_300n;

describe("a Treasury that the factory made", async () => {
  const { viem } = await network.create();
  const client = await viem.getPublicClient();
  const [sender, owner] = await viem.getWalletClients();
  assert(sender && owner);
  const scopes = await viem.deployContract("Scopes");
  const implementation = await viem.deployContract("Treasury", [[], 0n, scopes.address]);
  const factory = await viem.deployContract("TreasuryFactory", [implementation.address]);
  const terms = [[owner.account.address], 1n, zeroHash] as const;
  await factory.write.createTreasury([...terms]);
  const treasury = await viem.getContractAt("Treasury", await factory.read.treasuryOf([...terms]));

  it("takes coin with the gas that transfer() gives, in a fresh transaction, and says so", async () => {
    const hash = await sender.sendTransaction({
      to: treasury.address,
      value: 5n,
      gas: intrinsicGas + stipend,
    });
    const { status, blockNumber } = await client.waitForTransactionReceipt({ hash });
    assert.equal(status, "success");
    assert.equal(await client.getBalance({ address: treasury.address }), 5n);
    const [received] = await treasury.getEvents.NativeReceived({}, { fromBlock: blockNumber });
    assert.deepEqual(received?.args, { from: getAddress(sender.account.address), amount: 5n });
  });

  it("answers whatever has data as its implementation does, in success and in failure", async () => {
    assert.deepEqual(await treasury.read.owners(), [getAddress(owner.account.address)]);
    await viem.assertions.revertWithCustomErrorWithArgs(
      treasury.write.addOwner([sender.account.address]),
      treasury,
      "Treasury_NotSelf",
      [getAddress(sender.account.address)],
    );
    // Data that is no function's: receive() is not asked.
    await assert.rejects(sender.sendTransaction({ to: treasury.address, value: 1n, data: "0x12" }));
  });
});

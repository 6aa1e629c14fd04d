import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Hex, maxUint256, parseEther, stringToHex, toFunctionSelector } from "viem";
import { shippedNetwork } from "../support/shippedNetwork.ts";

/** Room for a change; the exact figures are what bench:gas prints and checks. */
const limits = { stakeFirst: 98_000, stakeAgain: 81_000, claim: 69_000 };

/** Gas of whole transactions, with a pool in use and rewards running. */
describe("Staking gas", async () => {
  const { viem, networkHelpers } = await shippedNetwork();
  const client = await viem.getPublicClient();
  const [admin, validator, alice, bob] = await viem.getWalletClients();
  assert(admin && validator && alice && bob);
  const gasOf = async (hash: Hex) => Number((await client.waitForTransactionReceipt({ hash })).gasUsed);

  const declaration = (name: string, ceiling: bigint, value: bigint) => ({
    name: stringToHex(name, { size: 32 }),
    floor: 0n,
    ceiling,
    value,
  });
  const manager = await viem.deployContract("AccessManager", [admin.account.address]);
  const registry = await viem.deployContract("ParameterRegistry", [
    manager.address,
    [
      declaration("rewardRateBps", 2_000n, 500n),
      declaration("rewardCycleSeconds", 10_000_000n, 2_592_000n),
      declaration("validatorShareBps", 5_000n, 1_000n),
      declaration("unbondingSeconds", 10_000_000n, 604_800n),
      declaration("maxSlashBps", 9_000n, 5_000n),
      declaration("slashRewardBps", 2_000n, 1_000n),
    ],
  ]);
  const avt = await viem.deployContract("AgentToken", [manager.address]);
  const staking = await viem.deployContract("Staking", [
    manager.address,
    avt.address,
    registry.address,
    518_400n,
  ]);
  await manager.write.setTargetFunctionRole([avt.address, [toFunctionSelector("mint(address,uint256)")], 1n]);
  await manager.write.grantRole([1n, admin.account.address, 0]);
  for (const { account } of [admin, validator, alice, bob]) {
    await avt.write.mint([account.address, parseEther("10000")]);
    await avt.write.approve([staking.address, maxUint256], { account });
  }
  await staking.write.fund([parseEther("1000")]);
  await staking.write.registerValidator([1_000n], { account: validator.account });

  const pool = validator.account.address;
  const stake = async (account: typeof alice.account) =>
    gasOf(await staking.write.stake([pool, parseEther("10")], { account }));

  it("stays within the bounds", async (context) => {
    await stake(alice.account);
    await networkHelpers.time.increase(1_000);
    const figures = {
      stakeFirst: await stake(bob.account),
      stakeAgain: await stake(bob.account),
      claim: await networkHelpers.time
        .increase(1_000)
        .then(() => staking.write.claim([pool], { account: bob.account }))
        .then(gasOf),
    };
    context.diagnostic(JSON.stringify(figures));
    for (const [name, gas] of Object.entries(figures))
      assert(gas <= limits[name as keyof typeof limits], `${name}: ${gas}`);
  });
});

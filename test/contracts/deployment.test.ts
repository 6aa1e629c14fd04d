import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { network } from "hardhat";
import {
  type Address,
  encodeFunctionData,
  getAddress,
  keccak256,
  parseEther,
  stringToHex,
  toHex,
  zeroHash,
} from "viem";
import { generatedAddresses, localChainIds } from "../../scripts/contracts/deploy.ts";
import { handOver } from "../../scripts/contracts/handover.ts";
import bursar from "../../scripts/ignition/modules/Bursar.ts";
import { parameters } from "../../scripts/ignition/parameters.ts";
import { roles } from "../../scripts/ignition/roles.ts";

const day = 86_400;

/** The whole set as it is deployed, before and after its deployer hands it over. */
describe("Deployment", async () => {
  const { viem, ignition, networkHelpers } = await network.create();
  const reader = await viem.getPublicClient();
  const [deployer, voter, stranger] = await viem.getWalletClients();
  assert(deployer && voter && stranger);
  const set = await ignition.deploy(bursar);
  const { accessManager, timelock, governor, parameterRegistry, agentToken, staking } = set;
  const nameOf = (name: string) => stringToHex(name, { size: 32 });

  const hand = () =>
    handOver({
      reader,
      wallet: deployer,
      deployer: deployer.account,
      accessManager: accessManager.address,
      timelock: timelock.address,
    });
  const has = async (role: bigint, account: Address) =>
    (await accessManager.read.hasRole([role, account]))[0];

  it("puts every contract where the generated addresses say", async () => {
    for (const chainId of localChainIds) {
      const known = new Set(Object.values(await generatedAddresses(chainId)));
      for (const [name, { address }] of Object.entries(set)) assert(known.has(getAddress(address)), name);
    }
  });

  it("declares every policy with its bounds", async () => {
    assert.equal(await parameterRegistry.read.parameterCount(), BigInt(parameters.length));
    for (const { name, floor, ceiling, value } of parameters) {
      const declared = await parameterRegistry.read.parameter([nameOf(name)]);
      assert.deepEqual(
        [declared.floor, declared.ceiling, declared.value],
        [floor, ceiling, value],
        `parameter ${name}`,
      );
    }
  });

  it("lets no stake unbond before a vote could be proposed, decided and carried out", async () => {
    const vote =
      BigInt(await governor.read.votingDelay()) +
      (await governor.read.votingPeriod()) +
      (await timelock.read.getMinDelay());
    assert.equal(await staking.read.minUnbondingSeconds(), vote);
    const { floor } = await parameterRegistry.read.parameter([nameOf("unbondingSeconds")]);
    assert(floor >= vote, "the parameter's floor");
    assert((await staking.read.unbondingSeconds()) >= vote, "what unbonds now");
  });

  it("gives each contract the role that its work needs, and nobody else", async () => {
    const holders: Record<string, Address[]> = {
      minter: [deployer.account.address],
      scripMinter: [set.vickreyAuction.address],
      slasher: [set.clearing.address, set.disputes.address],
      anchorer: [deployer.account.address],
      bonder: [set.clearing.address],
    };
    const everybody = [...Object.values(set).map(({ address }) => address), deployer.account.address];
    for (const [name, wanted] of Object.entries(holders)) {
      const role = roles[name as keyof typeof roles];
      for (const account of everybody)
        assert.equal(await has(role, account), wanted.includes(account), `${name} of ${account}`);
    }
  });

  it("wires one system: market to escrow, disputes and clearing to staking, all to one set of policies", async () => {
    const same = (got: Address, wanted: { address: Address }) =>
      assert.equal(getAddress(got), getAddress(wanted.address));
    same(await set.marketplace.read.escrow(), set.escrow);
    same(await set.marketplace.read.agents(), set.identityRegistry);
    same(await set.vickreyAuction.read.agents(), set.identityRegistry);
    same(await set.reputationRegistry.read.getIdentityRegistry(), set.identityRegistry);
    same(await set.validationRegistry.read.getIdentityRegistry(), set.identityRegistry);
    same(await set.disputes.read.bonds(), staking);
    same(await set.clearing.read.bonds(), staking);
    same(await governor.read.staking(), staking);
    same(await governor.read.timelock(), timelock);
    for (const contract of [staking, set.disputes, set.clearing, set.subscription, set.vickreyAuction])
      same(await contract.read.parameters(), parameterRegistry);
    for (const contract of [
      staking,
      set.disputes,
      set.receiptAnchor,
      set.reputationRegistry,
      set.attestationVerifier,
      set.scrip,
      set.clearing,
      agentToken,
      parameterRegistry,
    ])
      same(await contract.read.authority(), accessManager);
  });

  it("lists USDC among the tokens that move a score, a dollar for a point, and registers no issuer", async () => {
    assert.equal(await set.reputationRegistry.read.unitOf([set.usdc.address]), 1_000_000n);
    assert.deepEqual(
      (await set.reputationRegistry.getEvents.TokenSet({}, { fromBlock: 0n })).map(({ args }) => args.token),
      [getAddress(set.usdc.address)],
    );
    assert.deepEqual(await set.attestationVerifier.getEvents.IssuerSet({}, { fromBlock: 0n }), []);
  });

  it("leaves the deployer no power after the handover, which may be repeated", async () => {
    await hand();
    await hand();
    const me = deployer.account.address;
    for (const role of [roles.admin, roles.minter, roles.scripMinter, roles.slasher, roles.bonder])
      assert.equal(await has(role, me), false, `role ${role}`);
    assert.equal(await has(roles.admin, timelock.address), true, "the timelock is admin");
    for (const role of ["DEFAULT_ADMIN_ROLE", "PROPOSER_ROLE", "CANCELLER_ROLE"] as const) {
      const id = await timelock.read[role]();
      assert.equal(await timelock.read.hasRole([id, me]), false, role);
    }

    const account = me;
    const refused: Record<string, () => Promise<unknown>> = {
      "AgentToken.mint": () => agentToken.simulate.mint([me, 1n], { account }),
      "Scrip.mint": () => set.scrip.simulate.mint([me, 1n], { account }),
      "Staking.slash": () => staking.simulate.slash([me, 1n, me, zeroHash], { account }),
      "Clearing.appoint": () => set.clearing.simulate.appoint([me], { account }),
      "Clearing.listToken": () =>
        set.clearing.simulate.listToken([me, { isListed: true, leastCredit: 1n, exitCap: 1n }], { account }),
      "Staking.lock": () => staking.simulate.lock([me, 1n], { account }),
      "ParameterRegistry.set": () => parameterRegistry.simulate.set([nameOf("maxSlashBps"), 1n], { account }),
      "ParameterRegistry.declare": () =>
        parameterRegistry.simulate.declare([{ name: nameOf("x"), floor: 0n, ceiling: 1n, value: 1n }], {
          account,
        }),
      "ParameterRegistry.setPolicy": () =>
        parameterRegistry.simulate.setPolicy([nameOf("p"), zeroHash, ""], { account }),
      "VickreyAuction.setScorer": () => set.vickreyAuction.simulate.setScorer([me], { account }),
      "Disputes.ruleByGovernance": () => set.disputes.simulate.ruleByGovernance([1n, 1n], { account }),
      "ReputationRegistry.setToken": () => set.reputationRegistry.simulate.setToken([me, 1n], { account }),
      "AttestationVerifier.setIssuer": () =>
        set.attestationVerifier.simulate.setIssuer([zeroHash, me, true], { account }),
      "AccessManager.grantRole": () => accessManager.simulate.grantRole([0n, me, 0], { account }),
      "AccessManager.setTargetFunctionRole": () =>
        accessManager.simulate.setTargetFunctionRole([staking.address, [], 0n], { account }),
      "AccessManager.updateAuthority": () =>
        accessManager.simulate.updateAuthority([staking.address, me], { account }),
      "TimelockController.grantRole": () => timelock.simulate.grantRole([zeroHash, me], { account }),
      "TimelockController.updateDelay": () => timelock.simulate.updateDelay([0n], { account }),
    };
    for (const [name, attempt] of Object.entries(refused))
      await assert.rejects(attempt(), /Unauthorized|AccessControl/, name);
  });

  it("is governed by a vote of AVT, through the timelock, and by nothing else", async () => {
    const account = voter.account.address;
    await agentToken.write.delegate([account], { account });
    await networkHelpers.mine();
    const set_ = encodeFunctionData({
      abi: parameterRegistry.abi,
      functionName: "set",
      args: [nameOf("rewardRateBps"), 300n],
    });
    const proposal = [[parameterRegistry.address], [0n], [set_], "Lower rewards"] as const;
    const hashed = [...proposal.slice(0, 3), keccak256(toHex("Lower rewards"))] as const;
    await governor.write.propose([...proposal], { account });
    const id = await governor.read.hashProposal(hashed as never);
    await networkHelpers.time.increase(day + 1);
    await governor.write.castVote([id, 1], { account });
    await networkHelpers.time.increase(3 * day + 1);
    await governor.write.queue(hashed as never, { account: stranger.account.address });
    await assert.rejects(governor.simulate.execute(hashed as never, { account }), /Timelock/);
    await networkHelpers.time.increase(2 * day + 1);
    await governor.write.execute(hashed as never, { account: stranger.account.address });
    assert.equal(await parameterRegistry.read.valueOf([nameOf("rewardRateBps")]), 300n);
    assert.equal(await agentToken.read.getVotes([account]), parseEther("100000"));
  });
});

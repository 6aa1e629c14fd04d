import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { network } from "hardhat";
import {
  type Abi,
  type Account,
  type Address,
  encodeFunctionData,
  getAddress,
  keccak256,
  parseEther,
  stringToHex,
  toHex,
  zeroAddress,
  zeroHash,
} from "viem";
import { developmentChainIds } from "#offchain/core/localChain.ts";
import { generatedAddresses } from "../../scripts/contracts/deploy.ts";
import { handOver, SameAccount } from "../../scripts/contracts/handover.ts";
import bursar from "../../scripts/ignition/modules/Bursar.ts";
import { parameters } from "../../scripts/ignition/parameters.ts";
import { roles } from "../../scripts/ignition/roles.ts";

const day = 86_400;

/** The whole set as it is deployed, before and after its deployer hands it over. */
describe("Deployment", async () => {
  const { viem, ignition, networkHelpers } = await network.create();
  const reader = await viem.getPublicClient();
  const [deployer, voter, stranger, service] = await viem.getWalletClients();
  assert(deployer && voter && stranger && service);
  const set = await ignition.deploy(bursar);
  const { accessManager, timelock, governor, parameterRegistry, agentToken, staking } = set;
  const nameOf = (name: string) => stringToHex(name, { size: 32 });

  const hand = (to: Address) =>
    handOver({
      reader,
      wallet: deployer,
      deployer: deployer.account,
      service: to,
      accessManager: accessManager.address,
      timelock: timelock.address,
      clearing: set.clearing.address,
      auction: set.vickreyAuction.address,
    });
  const has = async (role: bigint, account: Address) =>
    (await accessManager.read.hasRole([role, account]))[0];

  const bond = async (account: Account) => {
    const least = await parameterRegistry.read.valueOf([nameOf("clearingMinBond")]);
    await agentToken.write.transfer([account.address, least]);
    await agentToken.write.approve([staking.address, least], { account });
    await staking.write.registerValidator([0n], { account });
    await staking.write.stake([account.address, least], { account });
  };

  it("puts every contract where the generated addresses say", async () => {
    for (const chainId of developmentChainIds) {
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

  it("lets no stake unbond before a vote could be proposed, decided, carried out or expired", async () => {
    const vote = await governor.read.voteSeconds();
    assert.equal(
      vote,
      BigInt(await governor.read.votingDelay()) +
        (await governor.read.votingPeriod()) +
        BigInt(await governor.read.lateQuorumVoteExtension()) +
        (await timelock.read.getMinDelay()) +
        (await governor.read.POSTPONEMENT()) +
        2n * (await governor.read.GRACE()),
    );
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
      bonder: [set.clearing.address, set.disputes.address],
      governor: [governor.address],
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
    same(await governor.read.guardian(), set.treasury);
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

  /** Whatever a contract says of itself without being asked about anything: its owners, operators and settings. */
  async function namedBy(contract: { address: Address; abi: Abi }): Promise<[string, unknown][]> {
    const getters = contract.abi.flatMap((item) =>
      item.type === "function" && item.stateMutability === "view" && item.inputs.length === 0
        ? item.name
        : [],
    );
    // A getter may have nothing to say: the timelock's domain, an epoch that is not there.
    const values = getters.map((functionName) =>
      reader.readContract({ ...contract, functionName }).catch(() => null),
    );
    return (await Promise.all(values)).map((value, index) => [getters[index] ?? "", value]);
  }

  /** Where an account stands in the set: in code, where immutables are; in storage; in what a getter answers. */
  async function placesOf(account: Address): Promise<string[]> {
    const needle = account.slice(2).toLowerCase();
    const isIn = (text: unknown) =>
      JSON.stringify(text, (_, value) => (typeof value === "bigint" ? `${value}` : value))
        .toLowerCase()
        .includes(needle);
    const places: string[] = [];
    for (const [name, contract] of Object.entries(set)) {
      if (isIn(await reader.getCode(contract))) places.push(`${name}: code`);
      for (let slot = 0; slot < 40; slot += 1)
        if (isIn(await reader.getStorageAt({ address: contract.address, slot: toHex(slot) })))
          places.push(`${name}: slot ${slot}`);
      for (const [getter, value] of await namedBy(contract))
        if (isIn(value)) places.push(`${name}.${getter}`);
    }
    return places;
  }

  /** Every role of the AccessManager and the timelock that anybody was ever given, if an account has it still. */
  async function rolesOf(account: Address): Promise<string[]> {
    const given = await accessManager.getEvents.RoleGranted({}, { fromBlock: 0n });
    const ids = new Set(given.map(({ args }) => args.roleId ?? 0n));
    const held = await Promise.all(
      [...ids].map(async (id) => ((await has(id, account)) ? [`role ${id}`] : [])),
    );
    const locks = await timelock.getEvents.RoleGranted({}, { fromBlock: 0n });
    const lockIds = new Set(locks.map(({ args }) => args.role ?? zeroHash));
    const lockHeld = await Promise.all(
      [...lockIds].map(async (id) => ((await timelock.read.hasRole([id, account])) ? [`lock ${id}`] : [])),
    );
    return [...held, ...lockHeld].flat();
  }

  it("hands over to another account than the deployer's only", async () => {
    await assert.rejects(hand(deployer.account.address), SameAccount);
  });

  it("leaves the deployer no power after the handover, which may be repeated", async () => {
    const me = deployer.account.address;
    // What is looked for is found as long as it is there.
    const before = await placesOf(me);
    for (const place of ["usdc.admin", "usdc: code", "clearing.operator", "vickreyAuction.scorer"])
      assert(before.includes(place), `${place} of ${before}`);
    assert.equal((await rolesOf(me)).length, 4, "admin, minter, anchorer and the timelock's admin");

    // Clearing appoints nobody whose bond it cannot hold.
    await assert.rejects(hand(service.account.address), /Clearing_BondTooLow/);
    await bond(service.account);
    await hand(service.account.address);
    await hand(service.account.address);
    assert.deepEqual(await rolesOf(me), []);
    assert.equal(await has(roles.admin, timelock.address), true, "the timelock is admin");
    assert.equal(await has(roles.anchorer, service.account.address), true, "the service anchors");
    for (const role of ["PROPOSER_ROLE", "CANCELLER_ROLE", "EXECUTOR_ROLE"] as const) {
      const id = await timelock.read[role]();
      assert.equal(await timelock.read.hasRole([id, governor.address]), true, role);
      assert.equal(await timelock.read.hasRole([id, zeroAddress]), false, `${role} of anybody`);
    }
    // Its successor as Clearing's operator waits for three days, in which it credits what it owes.
    assert.deepEqual(
      (await placesOf(me)).filter((place) => !place.startsWith("usdc")),
      ["clearing.operator"],
    );
    await networkHelpers.time.increase(Number(await set.clearing.read.HANDOVER()));
    // TestUSDC stands for Circle's USDC, whose issuer is none of ours.
    assert.deepEqual(await placesOf(me), ["usdc: code", "usdc.admin"]);
    assert.equal(getAddress((await set.clearing.read.operator())[0]), getAddress(service.account.address));
    assert.equal(getAddress(await set.vickreyAuction.read.scorer()), getAddress(service.account.address));

    const account = me;
    const refused: Record<string, () => Promise<unknown>> = {
      "AgentToken.mint": () => agentToken.simulate.mint([me, 1n], { account }),
      "Scrip.mint": () => set.scrip.simulate.mint([me, 1n], { account }),
      "Scrip.mintFor": () => set.scrip.simulate.mintFor([zeroHash, me, 1n], { account }),
      "Staking.lengthenUnbonding": () => staking.simulate.lengthenUnbonding([1n], { account }),
      "ReceiptAnchor.anchor": () => set.receiptAnchor.simulate.anchor([0, 0n, zeroHash, 1n], { account }),
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

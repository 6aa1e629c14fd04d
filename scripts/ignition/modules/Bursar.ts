import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import { parseEther, parseUnits } from "viem";
import { BATCH_SETTLEMENT_ADDRESS } from "../../contracts/canonical.ts";
import { governance, minUnbondingSeconds, timelockDelaySeconds } from "../governance.ts";
import { declarations } from "../parameters.ts";
import { granted, restricted, roles } from "../roles.ts";

/** Ignition's own names, which its package does not export. */
type Builder = Parameters<Parameters<typeof buildModule>[1]>[0];
type Contract = Builder["contract"];
type Arguments = NonNullable<Parameters<Contract>[2]>;
type Futures = NonNullable<NonNullable<Parameters<Contract>[3]>["after"]>;

/** Hardhat's account 0 deploys; 1 to 3 own the Treasury; 0 to 9 get TestUSDC and AVT to play with. */
const deployerIndex = 0;
const ownerIndexes = [1, 2, 3];
const threshold = 2;
const funded = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

const treasuryFunds = parseUnits("1000000", 6);
const accountFunds = parseUnits("10000", 6);
const accountVotes = parseEther("100000");
/** The parameter `clearingMinBond` as it starts. */
const operatorBond = parseEther("10000");

/** A cent is the least that a row credits; what demands may take in a day is less than a slash is worth. */
const clearingTerms = { isListed: true, leastCredit: parseUnits("0.01", 6), exitCap: parseUnits("1000", 6) };
/** Auction rounds: minutes, because the society is one of programs. */
const auction = { commitSeconds: 600, revealSeconds: 300 };
/** What must have been paid for one point of an agent's score. */
const usdcPerPoint = parseUnits("1", 6);
/** What a ruling on an Escrow dispute means (ERC-1497); the text is docs/contracts.md's. */
const metaEvidence = "bursar:escrow-ruling-in-basis-points";

/**
 * The local chain's contracts, deployed by one account strictly in this order: the addresses follow from its nonces,
 * so they are the same on every fresh chain and for every build of the compiler.
 */
export default buildModule("Bursar", (m) => {
  const { mints, ...money } = deployMoney(m);
  const next = oneByOne(m, mints);
  const governed = deployGovernance(m, next, money);
  const trust = deployTrust(next, { ...money, ...governed });
  const market = deployMarket(m, next, { ...money, ...governed, ...trust });
  const all = { ...money, ...governed, ...trust, ...market };
  giveRoles(m, next, all);
  listTokens(next, all);
  fundVotes(m, next, all);
  return all;
});

type Next = ReturnType<typeof oneByOne>;
type Money = Omit<ReturnType<typeof deployMoney>, "mints">;
type Governance = ReturnType<typeof deployGovernance>;
type Trust = ReturnType<typeof deployTrust>;
type Market = ReturnType<typeof deployMarket>;

/** TestUSDC, a Treasury of three owners, and money to play with. */
function deployMoney(m: Builder) {
  const from = m.getAccount(deployerIndex);
  const usdc = m.contract("TestUSDC", [from], { from });
  const scopes = m.contract("Scopes", [], { from, after: [usdc] });
  const owners = ownerIndexes.map((index) => m.getAccount(index));
  const treasury = m.contract("Treasury", [owners, threshold, scopes], { from, after: [scopes] });
  m.call(usdc, "mint", [treasury, treasuryFunds], { from, id: "fundTreasury" });
  const mints = funded.map((index) =>
    m.call(usdc, "mint", [m.getAccount(index), accountFunds], {
      from,
      id: `fundAccount${index}`,
      after: [treasury],
    }),
  );
  return { usdc, scopes, treasury, mints };
}

/** One after another from here on: each step waits for the one before. */
function oneByOne(m: Builder, first: Futures) {
  const from = m.getAccount(deployerIndex);
  let last = first;
  const deploy = <Name extends string>(name: Name, args: Arguments, id: string = name) => {
    const contract = m.contract(name, args, { from, id, after: last });
    last = [contract];
    return contract;
  };
  const call = (contract: ReturnType<typeof deploy>, name: string, args: Arguments, id: string) => {
    last = [m.call(contract, name, args, { from, id, after: last })];
  };
  /** What the contract answers once the last step is made. */
  const read = (contract: ReturnType<typeof deploy>, name: string) =>
    m.staticCall(contract, name, [], 0, { id: `read${name}`, after: last });
  return { deploy, call, read };
}

function deployGovernance(m: Builder, { deploy }: Next, { treasury }: Money) {
  const from = m.getAccount(deployerIndex);
  const accessManager = deploy("AccessManager", [from]);
  const parameterRegistry = deploy("ParameterRegistry", [accessManager, declarations]);
  const agentToken = deploy("AgentToken", [accessManager]);
  const staking = deploy("Staking", [accessManager, agentToken, parameterRegistry, minUnbondingSeconds]);
  const timelock = deploy("TimelockController", [timelockDelaySeconds, [], [], from]);
  const governor = deploy("AgentGovernor", [
    agentToken,
    staking,
    timelock,
    // The Treasury's owners may postpone what was decided, once.
    { ...governance, guardian: treasury },
  ]);
  return { accessManager, parameterRegistry, agentToken, staking, timelock, governor };
}

function deployTrust(
  { deploy }: Next,
  { usdc, scopes, treasury, accessManager, ...others }: Money & Governance,
) {
  const { parameterRegistry, staking } = others;
  const treasuryImplementation = deploy("Treasury", [[], 0, scopes], "TreasuryImplementation");
  const treasuryFactory = deploy("TreasuryFactory", [treasuryImplementation]);
  const identityRegistry = deploy("IdentityRegistry", []);
  const escrow = deploy("Escrow", [usdc, metaEvidence]);
  const reputationRegistry = deploy("ReputationRegistry", [
    identityRegistry,
    escrow,
    BATCH_SETTLEMENT_ADDRESS,
    accessManager,
    [{ token: usdc, unit: usdcPerPoint }],
  ]);
  const validationRegistry = deploy("ValidationRegistry", [identityRegistry]);
  const attestationVerifier = deploy("AttestationVerifier", [accessManager]);
  const disputes = deploy("Disputes", [accessManager, staking, parameterRegistry, treasury]);
  return {
    treasuryImplementation,
    treasuryFactory,
    identityRegistry,
    escrow,
    reputationRegistry,
    validationRegistry,
    attestationVerifier,
    disputes,
  };
}

function deployMarket(m: Builder, { deploy }: Next, contracts: Money & Governance & Trust) {
  const from = m.getAccount(deployerIndex);
  const { treasury, accessManager, parameterRegistry, staking, identityRegistry, escrow } = contracts;
  const subscription = deploy("Subscription", [parameterRegistry, treasury]);
  const clearing = deploy("Clearing", [accessManager, staking, BATCH_SETTLEMENT_ADDRESS, parameterRegistry]);
  const marketplace = deploy("Marketplace", [identityRegistry, escrow]);
  const scrip = deploy("Scrip", [accessManager]);
  const vickreyAuction = deploy("VickreyAuction", [
    accessManager,
    {
      scrip,
      agents: identityRegistry,
      parameters: parameterRegistry,
      scorer: from,
      ...auction,
    },
  ]);
  const receiptAnchor = deploy("ReceiptAnchor", [accessManager]);
  const keyOwnerFactory = deploy("KeyOwnerFactory", []);
  const passkeyVerifier = deploy("ERC7913WebAuthnVerifier", []);
  return {
    subscription,
    clearing,
    marketplace,
    scrip,
    vickreyAuction,
    receiptAnchor,
    keyOwnerFactory,
    passkeyVerifier,
  };
}

function giveRoles(m: Builder, { call, read }: Next, contracts: Governance & Trust & Market) {
  const from = m.getAccount(deployerIndex);
  const { accessManager, timelock, governor } = contracts;
  const byName = {
    AgentToken: contracts.agentToken,
    Scrip: contracts.scrip,
    Staking: contracts.staking,
    ReceiptAnchor: contracts.receiptAnchor,
    VickreyAuction: contracts.vickreyAuction,
    Clearing: contracts.clearing,
    Disputes: contracts.disputes,
    AgentGovernor: governor,
  } as const;
  for (const { contract, function: signature, selector, role } of restricted)
    call(
      accessManager,
      "setTargetFunctionRole",
      [byName[contract as keyof typeof byName], [selector], role],
      `restrict${contract}${signature.split("(")[0]}`,
    );
  for (const { contract, role } of granted)
    call(accessManager, "grantRole", [role, byName[contract], 0], `grant${contract}Role${role}`);
  call(accessManager, "grantRole", [roles.anchorer, from, 0], "grantAnchorer");
  call(accessManager, "grantRole", [roles.minter, from, 0], "grantMinter");
  // Nobody else executes either: what the guardian postpones would be carried out past the governor.
  for (const role of ["PROPOSER_ROLE", "CANCELLER_ROLE", "EXECUTOR_ROLE"])
    call(timelock, "grantRole", [read(timelock, role), governor], `grant${role}`);
}

/** Clearing credits nobody in a token that is not listed. */
function listTokens({ call }: Next, { usdc, clearing }: Money & Market) {
  call(clearing, "listToken", [usdc, clearingTerms], "listUsdc");
}

function fundVotes(m: Builder, { call }: Next, { agentToken, staking, clearing }: Governance & Market) {
  const from = m.getAccount(deployerIndex);
  // Minted once: a mint writes a checkpoint of the supply, which costs more in the first transaction of a second than in
  // the next, so that a gas estimate may be too low a second later. Transfers of nobody's votes write none.
  call(agentToken, "mint", [from, accountVotes * BigInt(funded.length)], "mintAvt");
  for (const index of funded.slice(1))
    call(agentToken, "transfer", [m.getAccount(index), accountVotes], `fundAvt${index}`);

  // Clearing holds the bond of whom it is to have as its operator.
  call(agentToken, "approve", [staking, operatorBond], "approveBond");
  call(staking, "registerValidator", [0n], "registerOperator");
  call(staking, "stake", [from, operatorBond], "stakeBond");
  call(clearing, "appoint", [from], "appointOperator");
}

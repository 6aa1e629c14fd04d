import { createRequire } from "node:module";
import {
  type Abi,
  type Account,
  type Address,
  concat,
  encodeFunctionData,
  erc20Abi,
  type Hex,
  keccak256,
  numberToHex,
  toHex,
} from "viem";
import { type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import { proposalToSign } from "#offchain/features/treasury/messages.ts";
import { openReferences } from "#offchain/sdk/treasury/references.ts";
import type { Connection } from "./connection.ts";

const UNIT = 1_000_000n;
const DEADLINE = 4_000_000_000n;
const BUCKET_SECONDS = 1_200;
const MONTH_BUCKET_SECONDS = 864_000;
const DAY_SECONDS = 86_400;
/** After so many months' buckets a month's and a week's (201,600 s) begin together again. */
const CYCLE_MONTH_BUCKETS = 7;
/** In the month's bucket of this number in a cycle, a week's bucket ends within the first day and after 20 minutes. */
const DEAREST_MONTH_BUCKET = 6;
const PAYMENTS_AVERAGED = 1_000;

/** OpenZeppelin's plain ERC-20, so that figures compare with those of other treasuries. */
function compileToken(): { abi: Abi; bytecode: Hex } {
  const require = createRequire(import.meta.url);
  const solc = require("solc");
  const { readFileSync } = require("node:fs");
  const content = `// SPDX-License-Identifier: MIT
    pragma solidity 0.8.37;
    import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
    contract Token is ERC20("Token", "TKN") { constructor() { _mint(msg.sender, 1e24); } }`;
  const input = {
    language: "Solidity",
    sources: { "Token.sol": { content } },
    settings: {
      optimizer: { enabled: true, runs: 10_000 },
      evmVersion: "cancun",
      viaIR: true,
      outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
    },
  };
  const load = (path: string) => ({ contents: readFileSync(require.resolve(path), "utf8") });
  const { abi, evm } = JSON.parse(solc.compile(JSON.stringify(input), { import: load })).contracts[
    "Token.sol"
  ].Token;
  return { abi, bytecode: `0x${evm.bytecode.object}` };
}

/**
 * Whole-transaction gas of the Treasury's payments: 2 of 3 owners by each form of signature, an agent inside its budget
 * with all four windows set. The first nonce or reference of 256 pays for a fresh slot of the bitmap.
 */
export async function treasuryGas(connection: Connection): Promise<Record<string, bigint>> {
  const stand = await standTreasury(connection);
  const { relayer, agent, payee, token, treasury, gasUsed } = stand;
  await gasUsed(await relayer.sendTransaction({ to: token, data: transfer(treasury.address, 10n ** 23n) }));
  await gasUsed(await relayer.sendTransaction({ to: token, data: transfer(payee.account.address, 1n) }));
  const bare = await gasUsed(
    await relayer.sendTransaction({ to: token, data: transfer(payee.account.address, UNIT) }),
  );
  const setBudget = encodeFunctionData({
    abi: treasury.abi,
    functionName: "setBudget",
    args: [agent.account.address, token, budget],
  });
  await execute(stand, { to: treasury.address, value: 0n, data: setBudget }, 0n, "full");
  return {
    "bare ERC-20 transfer": bare,
    ...(await quorumGas(stand)),
    ...(await budgetGas(stand, connection.networkHelpers)),
  };
}

type Call = { to: Address; value: bigint; data: Hex };
type Stand = Awaited<ReturnType<typeof standTreasury>>;

/** All four windows are set, and no payment here reaches one of them. */
const budget = {
  perTransaction: 1_000n * UNIT,
  approvalAbove: 500n * UNIT,
  hourly: 2_000n * UNIT,
  daily: 5_000n * UNIT,
  weekly: 20_000n * UNIT,
  monthly: 50_000n * UNIT,
  validUntil: Number(DEADLINE),
  recipientsOnly: false,
};

const transfer = (to: Address, amount: bigint) =>
  encodeFunctionData({ abi: erc20Abi, functionName: "transfer", args: [to, amount] });

/** A Treasury of two owners who sign and one who sends. */
async function standTreasury({ viem }: Connection) {
  const client = await viem.getPublicClient();
  const [relayer, sender, agent, payee] = await viem.getWalletClients();
  if (!relayer || !sender || !agent || !payee) throw new Error("the network has too few accounts");
  const { abi, bytecode } = compileToken();
  const { contractAddress: token } = await client.waitForTransactionReceipt({
    hash: await relayer.deployContract({ abi, bytecode }),
  });
  if (!token) throw new Error("the token was not deployed");
  const signers = ["first", "second"].map((name) => privateKeyToAccount(keccak256(toHex(name))));
  const ascending = (a: Account, b: Account) => (a.address.toLowerCase() < b.address.toLowerCase() ? -1 : 1);
  const owners: Account[] = [...signers, sender.account].sort(ascending);
  const scopes = await viem.deployContract("Scopes");
  const treasury = await viem.deployContract("Treasury", [
    owners.map((owner) => owner.address),
    2n,
    scopes.address,
  ]);
  return {
    relayer,
    sender,
    agent,
    payee,
    token,
    signers,
    owners,
    treasury,
    chainId: await client.getChainId(),
    gasUsed: async (hash: Hex) => (await client.waitForTransactionReceipt({ hash })).gasUsed,
  };
}

/** Executes by two owners: both sign, or one of them sends. */
async function execute(stand: Stand, call: Call, nonce: bigint, form: "full" | "compact" | "sent") {
  const { relayer, sender, signers, owners, treasury, chainId, gasUsed } = stand;
  const place = { chainId, address: treasury.address };
  const isSigner = (owner: Account): owner is PrivateKeyAccount => signers.some((signer) => signer === owner);
  const approving: (Account | undefined)[] = form === "sent" ? [sender.account, signers[0]] : signers;
  const signatures: Hex[] = [];
  for (const owner of owners.filter((each) => approving.includes(each))) {
    if (!isSigner(owner)) {
      signatures.push(owner.address);
      continue;
    }
    const message = { calls: [call], nonce, deadline: DEADLINE, threshold: 2n };
    const signature = await owner.signTypedData(proposalToSign(message, place));
    signatures.push(form === "compact" ? compact(signature) : signature);
  }
  const { account } = form === "sent" ? sender : relayer;
  return gasUsed(await treasury.write.execute([[call], nonce, DEADLINE, signatures], { account }));
}

/** The 64 bytes of ERC-2098. */
function compact(signature: Hex): Hex {
  const vs = BigInt(`0x${signature.slice(66, 130)}`) | (signature.endsWith("1c") ? 1n << 255n : 0n);
  return concat([`0x${signature.slice(2, 66)}`, numberToHex(vs, { size: 32 })]);
}

async function quorumGas(stand: Stand) {
  const data = transfer(stand.payee.account.address, UNIT);
  const send: Call = { to: stand.token, value: 0n, data };
  return {
    "quorum of 2, two signatures": await execute(stand, send, 1n, "full"),
    "quorum of 2, compact signatures": await execute(stand, send, 2n, "compact"),
    "quorum of 2, an owner sends": await execute(stand, send, 3n, "sent"),
    "quorum of 2, first nonce of 256": await execute(stand, send, 1n << 60n, "full"),
  };
}

async function budgetGas(stand: Stand, { time }: Connection["networkHelpers"]) {
  const { token, payee, agent, treasury, gasUsed } = stand;
  const pay = async (ref: Hex) =>
    gasUsed(await treasury.write.pay([token, payee.account.address, UNIT, ref], { account: agent.account }));
  const refOf = (count: number) => concat([`0x${"ab".repeat(31)}`, numberToHex(count, { size: 1 })]);
  // What a payment costs depends on which windows' buckets have ended since the one before. Always the same place in
  // the cycle, whenever the chain began, and the dearest one: a day later, a week's bucket has ended as well.
  const cycle = CYCLE_MONTH_BUCKETS * MONTH_BUCKET_SECONDS;
  const cycles = Math.floor((await time.latest()) / cycle) + 1;
  await time.increaseTo(cycles * cycle + DEAREST_MONTH_BUCKET * MONTH_BUCKET_SECONDS);
  const first = await pay(refOf(1));
  const same = await pay(refOf(2));
  await time.increase(BUCKET_SECONDS);
  const next = await pay(refOf(3));
  await time.increase(DAY_SECONDS);
  return {
    "pay, first reference of 256": first,
    "pay, same 20 minutes": same,
    "pay, next 20 minutes": next,
    "pay, a day later": await pay(refOf(4)),
    "pay, random reference": await pay(keccak256("0x01")),
    [`pay, average of ${PAYMENTS_AVERAGED} references of the SDK`]: await averageOf(pay),
  };
}

/** The SDK's references: one after another under a prefix that is random for each 256. */
async function averageOf(pay: (ref: Hex) => Promise<bigint>): Promise<bigint> {
  let last: unknown = null;
  const states = {
    load: async () => last,
    async save(_: string, state: unknown) {
      last = state;
    },
  };
  let prefixes = 0;
  const prefixOf = () => keccak256(numberToHex(++prefixes), "bytes").slice(1);
  const nextReference = openReferences(states, "anybody", prefixOf);
  let total = 0n;
  for (let count = 0; count < PAYMENTS_AVERAGED; count += 1) total += await pay(await nextReference("one"));
  return total / BigInt(PAYMENTS_AVERAGED);
}

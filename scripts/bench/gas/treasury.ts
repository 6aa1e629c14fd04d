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
export async function treasuryGas({ viem, networkHelpers }: Connection): Promise<Record<string, bigint>> {
  const publicClient = await viem.getPublicClient();
  const [relayer, sender, agent, payee] = await viem.getWalletClients();
  if (!relayer || !sender || !agent || !payee) throw new Error("the network has too few accounts");

  const gasUsed = async (hash: Hex) => (await publicClient.waitForTransactionReceipt({ hash })).gasUsed;
  const { abi, bytecode } = compileToken();
  const { contractAddress: token } = await publicClient.waitForTransactionReceipt({
    hash: await relayer.deployContract({ abi, bytecode }),
  });
  if (!token) throw new Error("the token was not deployed");

  const signers = ["first", "second"].map((name) => privateKeyToAccount(keccak256(toHex(name))));
  const ascending = (a: Account, b: Account) => (a.address.toLowerCase() < b.address.toLowerCase() ? -1 : 1);
  const owners: Account[] = [...signers, sender.account].sort(ascending);
  const treasury = await viem.deployContract("Treasury", [owners.map((owner) => owner.address), 2n]);

  type Call = { to: Address; value: bigint; data: Hex };
  const isSigner = (owner: Account): owner is PrivateKeyAccount => signers.some((signer) => signer === owner);
  const compact = (signature: Hex): Hex => {
    const vs = BigInt(`0x${signature.slice(66, 130)}`) | (signature.endsWith("1c") ? 1n << 255n : 0n);
    return concat([`0x${signature.slice(2, 66)}`, numberToHex(vs, { size: 32 })]);
  };

  /** Executes by two owners: both sign, or one of them sends. */
  async function execute(call: Call, nonce: bigint, form: "full" | "compact" | "sent"): Promise<bigint> {
    const place = { chainId: await publicClient.getChainId(), address: treasury.address };
    const approving: (Account | undefined)[] = form === "sent" ? [sender?.account, signers[0]] : signers;
    const signatures: Hex[] = [];
    for (const owner of owners.filter((each) => approving.includes(each))) {
      if (!isSigner(owner)) {
        signatures.push(owner.address);
        continue;
      }
      const message = { calls: [call], nonce, deadline: DEADLINE };
      const signature = await owner.signTypedData(proposalToSign(message, place));
      signatures.push(form === "compact" ? compact(signature) : signature);
    }
    const account = form === "sent" ? sender?.account : relayer?.account;
    if (!account) throw new Error("no account sends");
    return gasUsed(await treasury.write.execute([[call], nonce, DEADLINE, signatures], { account }));
  }

  const pay = async (ref: Hex) =>
    gasUsed(await treasury.write.pay([token, payee.account.address, UNIT, ref], { account: agent.account }));
  const transfer = (to: Address, amount: bigint) =>
    encodeFunctionData({ abi: erc20Abi, functionName: "transfer", args: [to, amount] });
  const refOf = (count: number) => concat([`0x${"ab".repeat(31)}`, numberToHex(count, { size: 1 })]);

  const figures: Record<string, bigint> = {};
  await gasUsed(await relayer.sendTransaction({ to: token, data: transfer(treasury.address, 10n ** 23n) }));
  await gasUsed(await relayer.sendTransaction({ to: token, data: transfer(payee.account.address, 1n) }));
  figures["bare ERC-20 transfer"] = await gasUsed(
    await relayer.sendTransaction({ to: token, data: transfer(payee.account.address, UNIT) }),
  );

  const terms = {
    perTransaction: 1_000n * UNIT,
    approvalAbove: 500n * UNIT,
    hourly: 2_000n * UNIT,
    daily: 5_000n * UNIT,
    weekly: 20_000n * UNIT,
    monthly: 50_000n * UNIT,
    validUntil: Number(DEADLINE),
    recipientsOnly: false,
  };
  const setBudget = encodeFunctionData({
    abi: treasury.abi,
    functionName: "setBudget",
    args: [agent.account.address, token, terms],
  });
  await execute({ to: treasury.address, value: 0n, data: setBudget }, 0n, "full");

  const send: Call = { to: token, value: 0n, data: transfer(payee.account.address, UNIT) };
  figures["quorum of 2, two signatures"] = await execute(send, 1n, "full");
  figures["quorum of 2, compact signatures"] = await execute(send, 2n, "compact");
  figures["quorum of 2, an owner sends"] = await execute(send, 3n, "sent");
  figures["quorum of 2, first nonce of 256"] = await execute(send, 1n << 60n, "full");

  // What a payment costs depends on which windows' buckets have ended since the one before. Always the same place in
  // the cycle, whenever the chain began, and the dearest one: a day later, a week's bucket has ended as well.
  const cycle = CYCLE_MONTH_BUCKETS * MONTH_BUCKET_SECONDS;
  const cycles = Math.floor((await networkHelpers.time.latest()) / cycle) + 1;
  await networkHelpers.time.increaseTo(cycles * cycle + DEAREST_MONTH_BUCKET * MONTH_BUCKET_SECONDS);
  figures["pay, first reference of 256"] = await pay(refOf(1));
  figures["pay, same 20 minutes"] = await pay(refOf(2));
  await networkHelpers.time.increase(BUCKET_SECONDS);
  figures["pay, next 20 minutes"] = await pay(refOf(3));
  await networkHelpers.time.increase(DAY_SECONDS);
  figures["pay, a day later"] = await pay(refOf(4));
  figures["pay, random reference"] = await pay(keccak256("0x01"));
  figures[`pay, average of ${PAYMENTS_AVERAGED} numbered references`] = await averagePay();
  return figures;

  /** References one after another, so that 256 of them share a slot, whose first use the others pay for. */
  async function averagePay(): Promise<bigint> {
    const first = BigInt(keccak256(toHex("numbered"))) & ~0xffffn;
    let total = 0n;
    for (let count = 0; count < PAYMENTS_AVERAGED; count += 1)
      total += await pay(numberToHex(first + BigInt(count), { size: 32 }));
    return total / BigInt(PAYMENTS_AVERAGED);
  }
}

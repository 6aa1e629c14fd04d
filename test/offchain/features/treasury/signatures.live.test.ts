import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Abi,
  type Address,
  createPublicClient,
  createTestClient,
  createWalletClient,
  encodeFunctionData,
  getAddress,
  type Hex,
  http,
  keccak256,
  parseSignature,
  serializeCompactSignature,
  serializeErc6492Signature,
  serializeSignature,
  signatureToCompactSignature,
  stringToHex,
  toHex,
} from "viem";
import { privateKeyToAccount, setSignEntropy, sign } from "viem/accounts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { treasuryAbi } from "#contracts";
import { hardhat } from "#offchain/core/localChain.ts";
import { account, startTestStack, type TestStack, until } from "../../support/stack.ts";

/** Only what `execute` takes is kept as an approval, and nothing takes the place of what it takes. */

// Who signs twice signs differently, as wallets may.
setSignEntropy(true);

const artifact = join(
  import.meta.dirname,
  "../../../../artifacts/test/contracts/support/ContractWallet.sol/ContractWallet.json",
);
const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const keyOf = (name: string) => keccak256(stringToHex(`owner ${name}`));
const first = account(1);
const plain = privateKeyToAccount(keyOf("plain"));
const delegated = privateKeyToAccount(keyOf("delegated"));

let stack: TestStack;
let treasury: Address;
/** An owner that is a contract: it stands by the signatures of `keyOf("wallet")`. */
let contractOwner: Address;
let nonces = 0n;

const chain = () => createPublicClient({ chain: hardhat, transport: http(stack.rpcUrl) });
const tester = () => createTestClient({ mode: "hardhat", chain: hardhat, transport: http(stack.rpcUrl) });
const wallet = () => createWalletClient({ account: first, chain: hardhat, transport: http(stack.rpcUrl) });

async function deployWallet(key: Hex): Promise<Address> {
  const { abi, bytecode }: { abi: Abi; bytecode: Hex } = JSON.parse(await readFile(artifact, "utf8"));
  const args = [privateKeyToAccount(key).address];
  const hash = await wallet().deployContract({ abi, bytecode, args });
  const { contractAddress } = await chain().waitForTransactionReceipt({ hash });
  if (!contractAddress) throw new Error("no wallet was deployed");
  return getAddress(contractAddress);
}

async function setCodeOf(address: Address, other: Address) {
  const bytecode = await chain().getCode({ address: other });
  if (!bytecode) throw new Error(`there is no code at ${other}`);
  await tester().setCode({ address, bytecode });
}

beforeAll(async () => {
  stack = await startTestStack();
  contractOwner = await deployWallet(keyOf("wallet"));
  await setCodeOf(delegated.address, await deployWallet(keyOf("session")));
  const owners = [first.address, plain.address, delegated.address, contractOwner];
  treasury = (await stack.operator.treasury.create({ owners, threshold: 2, key: "signatures" }))
    .address as Address;
}, 240_000);

afterAll(async () => {
  // Other files may run in this process, and some expect that the same is signed alike.
  setSignEntropy(`0x${"00".repeat(32)}`);
  await stack?.stop();
});

/** A proposal that its first owner has approved: one approval more decides. */
async function propose(): Promise<Hex> {
  nonces += 1n;
  const nonce = nonces;
  const data = encodeFunctionData({ abi: treasuryAbi, functionName: "freeze", args: [account(9).address] });
  await wallet().writeContract({
    address: treasury,
    abi: treasuryAbi,
    functionName: "propose",
    args: [[{ to: treasury, value: 0n, data }], nonce, 2n ** 64n],
  });
  const isIt = (proposal: { nonce: string; approvals: unknown[] }) =>
    proposal.nonce === nonce.toString() && proposal.approvals.length === 1;
  const { items } = await until(
    () => stack.client.treasury.proposals({ treasury }),
    (page) => page.items.some(isIt),
  );
  return items.find(isIt)?.proposalId as Hex;
}

const signed = (hash: Hex, name: string): Promise<Hex> => sign({ hash, privateKey: keyOf(name), to: "hex" });

const approve = (proposalId: Hex, owner: Address, signature: Hex) =>
  stack.client.treasury.approve({ proposalId, owner, signature });

const refused = (proposalId: Hex, owner: Address, signature: Hex, what?: string) =>
  expect(approve(proposalId, owner, signature), what).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });

const executes = (proposalId: Hex, what?: string) =>
  expect(stack.client.treasury.execute({ proposalId }), what).resolves.toMatchObject({ state: "executed" });

async function keptOf(proposalId: Hex, owner: Address): Promise<string | null | undefined> {
  const { approvals } = await stack.client.treasury.proposal({ proposalId });
  return approvals.find((approval) => approval.owner === owner)?.signature;
}

/** The same signature with v 0 or 1. */
const withLowV = (signature: Hex): Hex =>
  `${signature.slice(0, -2) as Hex}${toHex(Number(`0x${signature.slice(-2)}`) - 27, { size: 1 }).slice(2)}`;

/** The same key's other signature, with s above half of the order: contracts refuse it. */
function twinOf(signature: Hex): Hex {
  const { r, s, yParity } = parseSignature(signature);
  return serializeSignature({ r, s: toHex(order - BigInt(s), { size: 32 }), yParity: 1 - yParity });
}

test("a key's signature counts in every form that wallets write, and executes", async () => {
  for (const form of [
    withLowV,
    (signature: Hex) => serializeCompactSignature(signatureToCompactSignature(parseSignature(signature))),
  ]) {
    const proposalId = await propose();
    const signature = await signed(proposalId, "plain");
    const approved = await approve(proposalId, plain.address, form(signature));
    expect(approved).toMatchObject({ state: "ready", quorum: expect.arrayContaining([signature]) });
    await executes(proposalId);
  }
});

test("whoever reads a signature cannot hand in another form of it that the contract refuses", async () => {
  const proposalId = await propose();
  const signature = await signed(proposalId, "plain");
  await refused(proposalId, plain.address, twinOf(signature), "nothing is there yet");
  await approve(proposalId, plain.address, signature);
  await refused(proposalId, plain.address, twinOf(signature), "the twin");
  await refused(proposalId, plain.address, withLowV(twinOf(signature)), "the twin with v 0 or 1");
  await approve(proposalId, plain.address, withLowV(signature));
  expect(await keptOf(proposalId, plain.address)).toBe(signature);
  await executes(proposalId);
});

test("a contract owner is asked as the contract asks it: no wrapper is opened", async () => {
  const proposalId = await propose();
  const signature = await signed(proposalId, "wallet");
  const wrapped = serializeErc6492Signature({ address: treasury, data: "0x", signature });
  await refused(proposalId, contractOwner, wrapped, "wrapped");
  await refused(proposalId, contractOwner, await signed(proposalId, "plain"), "of another key");
  await approve(proposalId, contractOwner, signature);
  await refused(proposalId, contractOwner, wrapped, "wrapped, and there is a good one");
  await executes(proposalId);
});

test("a contract's signature stays while the contract takes it, and then makes way for one that it takes", async () => {
  const owner = contractOwner;
  const proposalId = await propose();
  const signature = await signed(proposalId, "wallet");
  const other = await signed(proposalId, "wallet");
  expect(other).not.toBe(signature);
  await approve(proposalId, owner, signature);
  await approve(proposalId, owner, other);
  expect(await keptOf(proposalId, owner)).toBe(signature);

  await setCodeOf(owner, await deployWallet(keyOf("newer")));
  await refused(proposalId, owner, other);
  const newer = await signed(proposalId, "newer");
  await approve(proposalId, owner, newer);
  expect(await keptOf(proposalId, owner)).toBe(newer);
  await executes(proposalId);
});

test("an owner whose account has code signs by its own key, and by what its code takes", async () => {
  const owner = delegated.address;
  const proposalId = await propose();
  const ofCode = await signed(proposalId, "session");
  await approve(proposalId, owner, ofCode);
  const ofKey = await signed(proposalId, "delegated");
  await approve(proposalId, owner, ofKey);
  expect(await keptOf(proposalId, owner), "a key's signature stays good").toBe(ofKey);
  await approve(proposalId, owner, ofCode);
  expect(await keptOf(proposalId, owner)).toBe(ofKey);
  await refused(proposalId, owner, twinOf(ofKey));
  await executes(proposalId);

  const byCode = await propose();
  await approve(byCode, owner, await signed(byCode, "session"));
  await executes(byCode, "by its code alone");
});

test("an owner whose code comes to no answer is refused for its gas, and only for now", async () => {
  const proposalId = await propose();
  const owner = delegated.address;
  const before = await chain().getCode({ address: owner });
  // It hashes 64 KiB again and again.
  await tester().setCode({ address: owner, bytecode: "0x5b620100005f20505f56" });
  const ofCode = await signed(proposalId, "session");
  await expect(approve(proposalId, owner, ofCode)).rejects.toMatchObject({
    code: "SIGNATURE_INVALID",
    message: expect.stringContaining("needs more than 1000000 gas"),
    facts: { owner },
  });
  await tester().setCode({ address: owner, bytecode: before as Hex });
  await approve(proposalId, owner, ofCode);
  await executes(proposalId);
});

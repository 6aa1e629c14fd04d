import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { network } from "hardhat";
import {
  concat,
  encodeFunctionData,
  getAddress,
  type Hex,
  hashTypedData,
  keccak256,
  numberToHex,
  parseSignature,
  serializeCompactSignature,
  signatureToCompactSignature,
  toHex,
  zeroAddress,
} from "viem";
import { type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";

const DEADLINE = 4_000_000_000n;
const NATIVE = zeroAddress;

const types = {
  Proposal: [
    { name: "calls", type: "Call[]" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
    { name: "threshold", type: "uint256" },
  ],
  Call: [
    { name: "to", type: "address" },
    { name: "value", type: "uint256" },
    { name: "data", type: "bytes" },
  ],
  Spend: [
    { name: "agent", type: "address" },
    { name: "token", type: "address" },
    { name: "to", type: "address" },
    { name: "amount", type: "uint256" },
    { name: "reference", type: "bytes32" },
    { name: "nonce", type: "uint256" },
    { name: "validBefore", type: "uint256" },
  ],
  ChannelConfig: [
    { name: "payer", type: "address" },
    { name: "payerAuthorizer", type: "address" },
    { name: "receiver", type: "address" },
    { name: "receiverAuthorizer", type: "address" },
    { name: "token", type: "address" },
    { name: "withdrawDelay", type: "uint40" },
    { name: "salt", type: "bytes32" },
  ],
} as const;

type Call = { to: Hex; value: bigint; data: Hex };

const account = (name: string) => privateKeyToAccount(keccak256(toHex(name)));
const compact = (signature: Hex) =>
  serializeCompactSignature(signatureToCompactSignature(parseSignature(signature)));

describe("Treasury's EIP-712, against viem", async () => {
  const { viem } = await network.create();
  const publicClient = await viem.getPublicClient();
  const chainId = await publicClient.getChainId();
  const owners: PrivateKeyAccount[] = [account("alice"), account("bob"), account("carol")].sort((a, b) =>
    a.address.toLowerCase() < b.address.toLowerCase() ? -1 : 1,
  );
  const agent = account("agent");
  const payee = account("payee").address;

  const scopes = await viem.deployContract("Scopes");
  const deploy = () =>
    viem.deployContract("Treasury", [owners.map((owner) => owner.address), 2n, scopes.address]);
  let treasury: Awaited<ReturnType<typeof deploy>>;
  let nextNonce = 0n;

  before(async () => {
    treasury = await deploy();
    const [funder] = await viem.getWalletClients();
    await funder?.sendTransaction({ to: treasury.address, value: 10n ** 18n });
  });

  const domain = () =>
    ({ name: "Bursar Treasury", version: "1", chainId, verifyingContract: treasury.address }) as const;
  const sign = (by: PrivateKeyAccount, calls: Call[], nonce: bigint) =>
    by.signTypedData({
      domain: domain(),
      types,
      primaryType: "Proposal",
      message: { calls, nonce, deadline: DEADLINE, threshold: 2n },
    });
  const execute = async (calls: Call[], form: (signature: Hex) => Hex) => {
    const nonce = nextNonce++;
    const signatures = await Promise.all(
      owners.slice(0, 2).map(async (by) => form(await sign(by, calls, nonce))),
    );
    return treasury.write.execute([calls, nonce, DEADLINE, signatures]);
  };

  it("has the domain it publishes", async () => {
    const [fields, name, version, chain, verifyingContract] = await treasury.read.eip712Domain();
    assert.equal(fields, "0x0f");
    const published = { name, version, chainId: Number(chain), verifyingContract };
    assert.deepEqual(published, { ...domain(), verifyingContract: getAddress(treasury.address) });
  });

  it("hashes a proposal of no, one and several calls as viem does", async () => {
    const calls: Call[] = [
      { to: payee, value: 0n, data: "0x" },
      {
        to: treasury.address,
        value: 2n ** 256n - 1n,
        data: toHex("a call's data that is longer than a word"),
      },
      { to: NATIVE, value: 7n, data: "0x00" },
    ];
    for (const some of [[], calls.slice(0, 1), calls]) {
      assert.equal(
        await treasury.read.hashProposal([some, 12_345n, DEADLINE]),
        hashTypedData({
          domain: domain(),
          types,
          primaryType: "Proposal",
          message: { calls: some, nonce: 12_345n, deadline: DEADLINE, threshold: 2n },
        }),
      );
    }
  });

  it("hashes a spend as viem does", async () => {
    const spend = {
      agent: agent.address,
      token: NATIVE,
      to: payee,
      amount: 5n,
      nonce: 9n,
      validBefore: DEADLINE,
    };
    const reference = keccak256(toHex("invoice 1"));
    assert.equal(
      await treasury.read.hashSpend([{ ...spend, ref: reference }]),
      hashTypedData({ domain: domain(), types, primaryType: "Spend", message: { ...spend, reference } }),
    );
  });

  it("computes a channel's id as x402's scheme does", async () => {
    const settlement = "0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003";
    const channel = {
      payer: treasury.address,
      payerAuthorizer: agent.address,
      receiver: payee,
      receiverAuthorizer: payee,
      token: NATIVE,
      withdrawDelay: 86_400,
      salt: keccak256("0x01"),
    };
    assert.equal(
      await treasury.read.channelIdOf([settlement, channel]),
      hashTypedData({
        domain: { name: "x402 Batch Settlement", version: "1", chainId, verifyingContract: settlement },
        types,
        primaryType: "ChannelConfig",
        message: channel,
      }),
    );
  });

  it("executes with viem's 65-byte signatures", async () => {
    const before = await publicClient.getBalance({ address: payee });
    await execute([{ to: payee, value: 3n, data: "0x" }], (signature) => signature);
    assert.equal(await publicClient.getBalance({ address: payee }), before + 3n);
  });

  it("executes with viem's compact signatures", async () => {
    const before = await publicClient.getBalance({ address: payee });
    await execute([{ to: payee, value: 4n, data: "0x" }], compact);
    assert.equal(await publicClient.getBalance({ address: payee }), before + 4n);
  });

  it("pays what an agent signed with viem", async () => {
    const limits = { perTransaction: 100n, approvalAbove: 100n, hourly: 100n, daily: 100n, weekly: 100n };
    const terms = { ...limits, monthly: 100n, validUntil: Number(DEADLINE), recipientsOnly: false };
    const data = encodeFunctionData({
      abi: treasury.abi,
      functionName: "setBudget",
      args: [agent.address, NATIVE, terms],
    });
    await execute([{ to: treasury.address, value: 0n, data }], (signature) => signature);
    const spend = {
      agent: agent.address,
      token: NATIVE,
      to: payee,
      amount: 60n,
      nonce: 1n,
      validBefore: DEADLINE,
    };
    const reference = numberToHex(1n, { size: 32 });
    const signature = await agent.signTypedData({
      domain: domain(),
      types,
      primaryType: "Spend",
      message: { ...spend, reference },
    });
    const before = await publicClient.getBalance({ address: payee });
    await treasury.write.paySigned([{ ...spend, ref: reference }, signature]);
    assert.equal(await publicClient.getBalance({ address: payee }), before + 60n);
    const [verdict, reason, left] = await treasury.read.canSpend([agent.address, NATIVE, payee, 41n]);
    assert.deepEqual([verdict, reason, left], [0, 9, 40n]);
  });

  it("refuses viem's signature for another chain", async () => {
    const calls: Call[] = [{ to: payee, value: 5n, data: "0x" }];
    const nonce = nextNonce++;
    const signatures = await Promise.all(
      owners.slice(0, 2).map((by) =>
        by.signTypedData({
          domain: { ...domain(), chainId: chainId + 1 },
          types,
          primaryType: "Proposal",
          message: { calls, nonce, deadline: DEADLINE, threshold: 2n },
        }),
      ),
    );
    await assert.rejects(treasury.write.execute([calls, nonce, DEADLINE, signatures]));
  });

  it("asks a contract owner for the signature after its address", async () => {
    const calls: Call[] = [{ to: payee, value: 5n, data: "0x" }];
    const nonce = nextNonce++;
    const [first, second] = owners;
    assert.ok(first && second);
    const [own, others] = [await sign(first, calls, nonce), await sign(second, calls, nonce)];
    // An owner without code is asked for nothing: another's signature is none of its own.
    const forged = [concat([first.address, others]), others];
    await assert.rejects(treasury.write.execute([calls, nonce, DEADLINE, forged]), /SignatureInvalid/);
    // Its own key's is, also in this form.
    await treasury.write.execute([calls, nonce, DEADLINE, [concat([first.address, own]), others]]);
  });
});

import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { before, describe, it } from "node:test";
import { network } from "hardhat";
import {
  type Address,
  bytesToHex,
  concat,
  encodeAbiParameters,
  encodeFunctionData,
  getAddress,
  type Hex,
  hashTypedData,
  hexToBytes,
  numberToHex,
  zeroAddress,
} from "viem";

const deadline = 4_000_000_000n;
/** The order of P-256: a signature whose s is above its half is refused, for it has a twin. */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
/** The user was present, and verified. */
const verified = 0x05;

const sha256 = (data: Uint8Array | string) => createHash("sha256").update(data).digest();

/** A passkey as an authenticator holds it. */
function passkey() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const key = concat([x, y].map((part) => bytesToHex(Buffer.from(part, "base64url"))));
  return { key, sign: (hash: Hex, flags = verified) => assertion(privateKey, hash, flags) };
}

/** What `navigator.credentials.get` gives for the challenge, as OpenZeppelin's verifier takes it. */
function assertion(privateKey: KeyObject, hash: Hex, flags: number): Hex {
  const challenge = Buffer.from(hexToBytes(hash)).toString("base64url");
  const clientData = `{"type":"webauthn.get","challenge":"${challenge}","origin":"https://bursar.test"}`;
  const authenticatorData = Buffer.concat([sha256("bursar.test"), Buffer.from([flags, 0, 0, 0, 0])]);
  const signed = sign("sha256", Buffer.concat([authenticatorData, sha256(clientData)]), {
    key: privateKey,
    dsaEncoding: "ieee-p1363",
  });
  const [r, s] = [signed.subarray(0, 32), signed.subarray(32)].map((part) => BigInt(bytesToHex(part)));
  assert(r !== undefined && s !== undefined);
  const low = s > order / 2n ? order - s : s;
  const fields = ["bytes32", "bytes32", "uint256", "uint256", "bytes", "string"] as const;
  const encoded = encodeAbiParameters(
    fields.map((type) => ({ type })),
    [
      numberToHex(r, { size: 32 }),
      numberToHex(low, { size: 32 }),
      BigInt(clientData.indexOf('"challenge"')),
      BigInt(clientData.indexOf('"type"')),
      bytesToHex(authenticatorData),
      clientData,
    ],
  );
  return encoded;
}

describe("a passkey as an owner of a Treasury (ERC-7913)", async () => {
  const { viem } = await network.create();
  const client = await viem.getPublicClient();
  const [wallet, agent, payee] = await viem.getWalletClients();
  assert(wallet && agent && payee);
  const chainId = await client.getChainId();
  const verifier = await viem.deployContract("ERC7913WebAuthnVerifier");
  const scopes = await viem.deployContract("Scopes");
  const factory = await viem.deployContract("KeyOwnerFactory");
  const held = passkey();
  const signer = concat([verifier.address, held.key]);
  const account = await factory.read.ownerOf([signer]);
  const owners = [account, wallet.account.address].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
  const treasury = await viem.deployContract("Treasury", [owners, 2n, scopes.address]);
  const owner = await viem.getContractAt("KeyOwner", account);
  const send = (value: bigint) => [{ to: payee.account.address, value, data: "0x" }] as const;
  let nonce = 0n;

  /** By the wallet that sends, and by a signature over the proposal's id. */
  async function execute(value: bigint, signed: (id: Hex) => Hex) {
    nonce += 1n;
    const calls = send(value);
    const id = await treasury.read.hashProposal([[...calls], nonce, deadline]);
    const consents = owners.map((one) => (one === account ? concat([account, signed(id)]) : one));
    return treasury.write.execute([[...calls], nonce, deadline, consents]);
  }

  const actToSign = (to: Address, data: Hex, actNonce: bigint) => ({
    domain: { name: "Bursar Key Owner", version: "1", chainId, verifyingContract: account },
    types: {
      Act: [
        { name: "to", type: "address" },
        { name: "data", type: "bytes" },
        { name: "nonce", type: "uint256" },
        { name: "deadline", type: "uint256" },
      ],
    } as const,
    primaryType: "Act" as const,
    message: { to, data, nonce: actNonce, deadline },
  });

  before(async () => {
    await wallet.sendTransaction({ to: treasury.address, value: 1_000n });
  });

  it("decides nothing before its account stands", async () => {
    await viem.assertions.revertWithCustomError(
      execute(1n, (id) => held.sign(id)),
      treasury,
      "Treasury_SignatureInvalid",
    );
    await factory.write.createOwner([signer]);
    await factory.write.createOwner([signer]);
    assert.equal(await owner.read.signer(), signer);
  });

  it("approves by what an authenticator gives, and a proposal is executed", async () => {
    const earlier = await client.getBalance({ address: payee.account.address });
    await execute(5n, (id) => held.sign(id));
    assert.equal(await client.getBalance({ address: payee.account.address }), earlier + 5n);
  });

  for (const [what, signed] of [
    ["of another key", (id: Hex) => passkey().sign(id)],
    ["over something else", () => held.sign(numberToHex(1n, { size: 32 }))],
    ["of an authenticator that verified nobody", (id: Hex) => held.sign(id, 0x01)],
    ["that is none", () => "0x1234" as const],
  ] as const)
    it(`approves nothing by a signature ${what}`, async () => {
      await viem.assertions.revertWithCustomError(execute(5n, signed), treasury, "Treasury_SignatureInvalid");
    });

  it("freezes alone, relayed by anyone, once and in time", async () => {
    const data = encodeFunctionData({
      abi: treasury.abi,
      functionName: "freeze",
      args: [agent.account.address],
    });
    const toSign = actToSign(treasury.address, data, 9n);
    const digest = hashTypedData(toSign);
    assert.equal(await owner.read.hashAct([treasury.address, data, 9n, deadline]), digest);
    const act = [treasury.address, data, 9n, deadline, held.sign(digest)] as const;
    const relayed = await viem.getContractAt("KeyOwner", account, { client: { wallet: payee } });
    await relayed.write.act([...act]);
    assert(await treasury.read.isFrozen([agent.account.address]));
    assert(await owner.read.isNonceUsed([9n]));
    await viem.assertions.revertWithCustomErrorWithArgs(
      relayed.write.act([...act]),
      owner,
      "KeyOwner_NonceUsed",
      [9n],
    );
    await viem.assertions.revertWithCustomError(
      relayed.write.act([treasury.address, data, 10n, deadline, act[4]]),
      owner,
      "KeyOwner_SignatureInvalid",
    );
    await viem.assertions.revertWithCustomError(
      relayed.write.act([treasury.address, data, 9n, 1n, act[4]]),
      owner,
      "KeyOwner_Expired",
    );
  });

  it("acts in the last second that it signed for, and in none after", async () => {
    const data = encodeFunctionData({ abi: treasury.abi, functionName: "pause" });
    const clock = await viem.getTestClient();
    const { timestamp } = await client.getBlock();
    const last = timestamp + 100n;
    const signedAct = (actNonce: bigint) => {
      const digest = hashTypedData({
        ...actToSign(treasury.address, data, actNonce),
        message: { to: treasury.address, data, nonce: actNonce, deadline: last },
      });
      return [treasury.address, data, actNonce, last, held.sign(digest)] as const;
    };
    await clock.setNextBlockTimestamp({ timestamp: last });
    await owner.write.act([...signedAct(20n)]);
    assert(await treasury.read.isPaused());
    await clock.setNextBlockTimestamp({ timestamp: last + 1n });
    await viem.assertions.revertWithCustomErrorWithArgs(
      owner.write.act([...signedAct(21n)]),
      owner,
      "KeyOwner_Expired",
      [last + 1n, last],
    );
  });

  it("has an address for each verifier and key, and none for what is no signer", async () => {
    const other = await factory.read.ownerOf([concat([verifier.address, passkey().key])]);
    assert.notEqual(getAddress(other), getAddress(account));
    for (const bad of [verifier.address, "0x", concat([zeroAddress, held.key])] as const)
      await viem.assertions.revertWithCustomErrorWithArgs(
        factory.write.createOwner([bad]),
        factory,
        "KeyOwner_SignerInvalid",
        [bad === verifier.address ? (bad.toLowerCase() as Hex) : bad],
      );
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { network } from "hardhat";
import {
  type Address,
  concat,
  encodePacked,
  type Hex,
  keccak256,
  pad,
  parseEventLogs,
  slice,
  toHex,
  zeroHash,
} from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";

const amount = 250_000_000n;
const finalized = 2_000;

/** Two chains, each with its own node, token and messengers; one attester watches both, as Circle's does. */
describe("CCTP v2 stand-ins on two local chains", async () => {
  const attester = privateKeyToAccount(generatePrivateKey());
  const source = await deploy(0);
  const destination = await deploy(6);
  await connect(source, destination);
  await connect(destination, source);

  async function deploy(domain: number) {
    const { viem } = await network.create();
    const [wallet, other] = await viem.getWalletClients();
    assert(wallet && other);
    const usdc = await viem.deployContract("TestUSDC", [wallet.account.address]);
    const transmitter = await viem.deployContract("MessageTransmitterV2", [domain, [attester.address], 1n]);
    const messenger = await viem.deployContract("TokenMessengerV2", [
      transmitter.address,
      usdc.address,
      wallet.account.address,
      other.account.address,
    ]);
    await usdc.write.configureMinter([messenger.address, 10n ** 12n]);
    return { domain, wallet, usdc, transmitter, messenger, reader: await viem.getPublicClient() };
  }

  type Side = Awaited<ReturnType<typeof deploy>>;

  function connect(side: Side, other: Side) {
    return side.messenger.write.addRemoteTokenMessenger([
      other.domain,
      pad(other.messenger.address),
      pad(other.usdc.address),
    ]);
  }

  /** What Circle's attestation service answers for a final message: nonce and finality filled in, and signed. */
  async function attest(sent: Hex, nonce: Hex): Promise<[Hex, Hex]> {
    const message = concat([
      slice(sent, 0, 12),
      nonce,
      slice(sent, 44, 144),
      toHex(finalized, { size: 4 }),
      slice(sent, 148),
    ]);
    return [message, await attester.sign({ hash: keccak256(message) })];
  }

  async function burn({ usdc, messenger, transmitter, reader }: Side, to: Side, recipient: Address) {
    await usdc.write.approve([messenger.address, amount]);
    const hash = await messenger.write.depositForBurn([
      amount,
      to.domain,
      pad(recipient),
      usdc.address,
      zeroHash,
      0n,
      finalized,
    ]);
    const { logs } = await reader.getTransactionReceipt({ hash });
    const [event] = parseEventLogs({ abi: transmitter.abi, eventName: "MessageSent", logs });
    assert(event);
    return event.args.message as Hex;
  }

  it("burns on one chain and mints on the other, there and back", async () => {
    const holder = source.wallet.account.address;
    await source.usdc.write.mint([holder, amount]);
    const there = await attest(await burn(source, destination, holder), keccak256("0x01"));
    await destination.transmitter.write.receiveMessage(there);
    assert.equal(await source.usdc.read.totalSupply(), 0n);
    assert.equal(await destination.usdc.read.balanceOf([holder]), amount);

    const back = await attest(await burn(destination, source, holder), keccak256("0x02"));
    await source.transmitter.write.receiveMessage(back);
    assert.equal(await destination.usdc.read.totalSupply(), 0n);
    assert.equal(await source.usdc.read.balanceOf([holder]), amount);
  });

  it("packs messages as viem packs them", async () => {
    const recipient = privateKeyToAccount(generatePrivateKey()).address;
    const holder = source.wallet.account.address;
    await source.usdc.write.mint([holder, amount]);
    const body = encodePacked(
      ["uint32", "bytes32", "bytes32", "uint256", "bytes32", "uint256", "uint256", "uint256"],
      [1, pad(source.usdc.address), pad(recipient), amount, pad(holder), 0n, 0n, 0n],
    );
    const wanted = encodePacked(
      ["uint32", "uint32", "uint32", "bytes32", "bytes32", "bytes32", "bytes32", "uint32", "uint32", "bytes"],
      [
        1,
        source.domain,
        destination.domain,
        zeroHash,
        pad(source.messenger.address),
        pad(destination.messenger.address),
        zeroHash,
        finalized,
        0,
        body,
      ],
    );
    assert.equal(await burn(source, destination, recipient), wanted.toLowerCase());
  });
});

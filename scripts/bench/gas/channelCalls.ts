import {
  concatHex,
  encodeFunctionData,
  type Hex,
  keccak256,
  numberToHex,
  parseSignature,
  serializeCompactSignature,
  signatureToCompactSignature,
  zeroAddress,
  zeroHash,
} from "viem";
import { type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import { settlementCall } from "#offchain/features/payments/contract.ts";
import { type ChannelTerms, channelId, signDeposit, signVoucher } from "#offchain/sdk/paying/channel.ts";
import {
  BATCH_SETTLEMENT_ADDRESS,
  ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
  placeCanonical,
} from "../../contracts/canonical.ts";
import { shippedArtifacts } from "../../contracts/creationCode/shipped.ts";
import type { Connection } from "./connection.ts";

/** Everyone of the two kinds is as many. */
export const payers = 100;
const payees = 100;
const deposit = 1_000_000_000n;

/** The contracts of the channels, and everyone who has to do with them. */
export type ChannelChain = Awaited<ReturnType<typeof standChannels>>;

/** A channel, and the place of its payer among all. */
export interface PayerChannel {
  readonly terms: ChannelTerms;
  readonly payer: number;
}

export async function standChannels({ viem }: Connection) {
  const client = await viem.getPublicClient();
  const [operator] = await viem.getWalletClients();
  if (!operator) throw new Error("the network has too few accounts");
  await placeCanonical(client, shippedArtifacts);
  const usdc = await viem.deployContract("TestUSDC", [operator.account.address]);
  const receiverKeys = accounts(payees, 10_001);
  return {
    operator,
    usdc,
    settlement: await viem.getContractAt("BatchSettlement", BATCH_SETTLEMENT_ADDRESS),
    chainId: await client.getChainId(),
    gasOf: async (hash: Hex) => (await client.waitForTransactionReceipt({ hash })).gasUsed,
    keys: accounts(payers, 1),
    receiverKeys,
    receivers: receiverKeys.map(({ address }) => address),
  };
}

const accounts = (count: number, first: number): PrivateKeyAccount[] =>
  Array.from({ length: count }, (_, at) =>
    privateKeyToAccount(keccak256(numberToHex(at + first, { size: 32 }))),
  );

/** The channel of a payer to a receiver. */
export function channelOf(
  { operator, usdc, keys, receivers }: ChannelChain,
  payer: number,
  receiver: Hex,
): PayerChannel {
  const address = keys[payer]?.address ?? zeroAddress;
  return {
    payer,
    terms: {
      payer: address,
      payerAuthorizer: address,
      receiver,
      // Clearing's channels are its own to claim.
      receiverAuthorizer: receivers.includes(receiver) ? operator.account.address : receiver,
      token: usdc.address,
      withdrawDelay: 900,
      salt: zeroHash,
    },
  };
}

function signerOf({ keys }: ChannelChain, payer: number): PrivateKeyAccount {
  const signer = keys[payer];
  if (!signer) throw new Error(`there is no payer ${payer}`);
  return signer;
}

/** The first deposit opens the channel. */
export async function openChannel(
  chain: ChannelChain,
  { terms, payer }: PayerChannel,
  salt: bigint,
): Promise<bigint> {
  const token = { address: chain.usdc.address, name: "USD Coin", version: "2" };
  const signed = await signDeposit(signerOf(chain, payer), chain.chainId, token, {
    channelId: channelId(terms, chain.chainId),
    amount: deposit,
    validAfter: 0n,
    validBefore: 2n ** 40n - 1n,
    salt,
  });
  return chain.gasOf(
    await chain.settlement.write.deposit([
      terms,
      deposit,
      ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
      collectorData(signed),
    ]),
  );
}

/** Settles one voucher of `total` on each channel, as the service does. */
export async function settleChannels(
  chain: ChannelChain,
  channels: readonly PayerChannel[],
  total: bigint,
): Promise<bigint> {
  const vouchers = await Promise.all(
    channels.map(async ({ terms, payer }) => {
      const id = channelId(terms, chain.chainId);
      const signature = await signVoucher(signerOf(chain, payer), chain.chainId, {
        channelId: id,
        maxClaimableAmount: total,
      });
      return {
        channel: 0n,
        channelId: id,
        receiver: terms.receiver,
        receiverAuthorizer: terms.receiverAuthorizer,
        token: terms.token,
        maxClaimableAmount: total,
        signature: serializeCompactSignature(signatureToCompactSignature(parseSignature(signature))),
      };
    }),
  );
  const [first] = channels;
  const clearing = first?.terms.receiverAuthorizer ?? zeroAddress;
  const call = settlementCall(vouchers, { settlement: BATCH_SETTLEMENT_ADDRESS, clearing });
  return chain.gasOf(await chain.operator.sendTransaction(call));
}

const authorizationTypes = {
  TransferWithAuthorization: [
    { name: "from", type: "address" },
    { name: "to", type: "address" },
    { name: "value", type: "uint256" },
    { name: "validAfter", type: "uint256" },
    { name: "validBefore", type: "uint256" },
    { name: "nonce", type: "bytes32" },
  ],
} as const;

/** One payment by ERC-3009, which the operator relays. */
export async function authorizedTransfer(chain: ChannelChain, to: Hex, value: bigint): Promise<bigint> {
  const { usdc, operator, chainId } = chain;
  const signer = signerOf(chain, 0);
  const message = {
    from: signer.address,
    to,
    value,
    validAfter: 0n,
    validBefore: 2n ** 40n,
    nonce: keccak256("0x01"),
  };
  const signature = await signer.signTypedData({
    domain: { name: "USD Coin", version: "2", chainId, verifyingContract: usdc.address },
    types: authorizationTypes,
    primaryType: "TransferWithAuthorization",
    message,
  });
  const { from, validAfter, validBefore, nonce } = message;
  const data = encodeFunctionData({
    abi: usdc.abi,
    functionName: "transferWithAuthorization",
    args: [from, to, value, validAfter, validBefore, nonce, signature],
  });
  return chain.gasOf(await operator.sendTransaction({ to: usdc.address, data }));
}

/** What the collector unpacks: (validAfter, validBefore, salt, signature). */
function collectorData(signed: {
  validAfter: string | bigint;
  validBefore: string | bigint;
  salt: string | bigint;
  signature: string;
}): Hex {
  const word = (value: string | bigint) => numberToHex(BigInt(value), { size: 32 });
  const bytes = signed.signature as Hex;
  return concatHex([
    word(signed.validAfter),
    word(signed.validBefore),
    word(signed.salt),
    word(128n),
    word(BigInt((bytes.length - 2) / 2)),
    `${bytes}${"0".repeat((64 - ((bytes.length - 2) % 64)) % 64)}` as Hex,
  ]);
}

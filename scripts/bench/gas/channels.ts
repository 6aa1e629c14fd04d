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
import { privateKeyToAccount } from "viem/accounts";
import { settlementCall } from "#offchain/features/payments/contract.ts";
import { type ChannelTerms, channelId, signDeposit, signVoucher } from "#offchain/sdk/paying/channel.ts";
import {
  artifactsOfBuild,
  BATCH_SETTLEMENT_ADDRESS,
  ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
  placeCanonical,
} from "../../contracts/canonical.ts";
import { productionArtifacts } from "../../contracts/productionBuild.ts";
import { standClearing } from "./clearing.ts";
import type { Connection } from "./connection.ts";

const payers = 100;
const payees = 100;
const paymentsPerChannel = 100;
/** One micropayment: 0.001 USDC. */
const price = 1_000n;
const deposit = 1_000_000_000n;

export interface ChannelGas {
  calls: Record<string, bigint>;
  /** Gas per payment: 10,000 payments, each payer to a payee of its own; and all to one payee. */
  direct: number;
  directToOnePayee: number;
  /** Each payer to every payee by one channel into Clearing: claims, the root and payouts to wallets. */
  cleared: number;
  erc20Transfer: number;
  eip3009Transfer: number;
}

/** Gas of the payment channels, through the very calldata that the service sends. */
export async function channelGas(connection: Connection): Promise<ChannelGas> {
  const { viem } = connection;
  const client = await viem.getPublicClient();
  const [first] = await viem.getWalletClients();
  if (!first) throw new Error("the network has too few accounts");
  const operator = first;
  await placeCanonical(client, artifactsOfBuild(productionArtifacts));
  const usdc = await viem.deployContract("TestUSDC", [operator.account.address]);
  const settlement = await viem.getContractAt("BatchSettlement", BATCH_SETTLEMENT_ADDRESS);
  const chainId = await client.getChainId();
  const gasOf = async (hash: Hex) => (await client.waitForTransactionReceipt({ hash })).gasUsed;
  const keys = Array.from({ length: payers }, (_, at) =>
    privateKeyToAccount(keccak256(numberToHex(at + 1, { size: 32 }))),
  );
  const receivers = Array.from({ length: payees }, (_, at) =>
    privateKeyToAccount(keccak256(numberToHex(at + 10_001, { size: 32 }))),
  );
  const calls: Record<string, bigint> = {};

  const termsOf = (payer: number, receiver: Hex): ChannelTerms => ({
    payer: keys[payer]?.address ?? zeroAddress,
    payerAuthorizer: keys[payer]?.address ?? zeroAddress,
    receiver,
    receiverAuthorizer: operator.account.address,
    token: usdc.address,
    withdrawDelay: 900,
    salt: zeroHash,
  });

  async function open(terms: ChannelTerms, payer: number, salt: bigint): Promise<bigint> {
    const signer = keys[payer];
    if (!signer) throw new Error(`there is no payer ${payer}`);
    const token = { address: usdc.address, name: "USD Coin", version: "2" };
    const signed = await signDeposit(signer, chainId, token, {
      channelId: channelId(terms, chainId),
      amount: deposit,
      validAfter: 0n,
      validBefore: 2n ** 40n - 1n,
      salt,
    });
    return gasOf(
      await settlement.write.deposit([
        terms,
        deposit,
        ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
        collectorData(signed),
      ]),
    );
  }

  /** Settles one voucher of `total` on each channel, as the service does. */
  async function settle(channels: { terms: ChannelTerms; payer: number }[], total: bigint): Promise<bigint> {
    const vouchers = await Promise.all(
      channels.map(async ({ terms, payer }) => {
        const signer = keys[payer];
        if (!signer) throw new Error(`there is no payer ${payer}`);
        const id = channelId(terms, chainId);
        const signature = await signVoucher(signer, chainId, { channelId: id, maxClaimableAmount: total });
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
    return gasOf(
      await operator.sendTransaction({ to: BATCH_SETTLEMENT_ADDRESS, data: settlementCall(vouchers) }),
    );
  }

  const pairs = keys.map((_, payer) => ({
    terms: termsOf(payer, receivers[payer]?.address ?? zeroAddress),
    payer,
  }));
  const shared = keys.map((_, payer) => ({
    terms: termsOf(payer, receivers[0]?.address ?? zeroAddress),
    payer,
  }));
  for (const [payer, { address }] of keys.entries()) {
    await usdc.write.mint([address, 10n ** 12n]);
    await usdc.write.mint([receivers[payer]?.address ?? zeroAddress, 1n]);
    calls["channel: first deposit, ERC-3009"] = await open(
      termsOf(payer, receivers[payer]?.address ?? zeroAddress),
      payer,
      1n,
    );
    if (payer > 0) await open(termsOf(payer, receivers[0]?.address ?? zeroAddress), payer, 2n);
  }
  calls["channel: further deposit, ERC-3009"] = await open(
    termsOf(0, receivers[0]?.address ?? zeroAddress),
    0,
    3n,
  );

  // The first settlement of a channel writes fresh slots; what is measured is the life after it.
  await settle(pairs, price);
  await settle(shared, 2n * price);
  const step = BigInt(paymentsPerChannel) * price;
  calls["settle a batch: 100 channels, 100 payees"] = await settle(pairs, 3n * price + step);
  calls["settle a batch: 100 channels, 1 payee"] = await settle(shared, 3n * price + 2n * step);
  calls["settle a batch: 10 channels, 1 payee"] = await settle(shared.slice(1, 11), 3n * price + 3n * step);
  calls["settle a batch: 1 channel"] = await settle(shared.slice(1, 2), 3n * price + 4n * step);
  const payments = payers * paymentsPerChannel;

  const clearing = await standClearing(connection, usdc.address);
  const hub = keys.map((_, payer) => ({ terms: termsOf(payer, clearing.address), payer }));
  for (const { terms, payer } of hub) await open(terms, payer, 4n);
  const wallets = receivers.map(({ address }) => address);
  await settle(hub, step);
  await clearing.clear(wallets, step);
  const claims = await settle(hub, 2n * step);
  const { post, payOut } = await clearing.clear(wallets, 2n * step);
  calls["clearing: claim 100 channels"] = claims;
  calls["clearing: post a root of 100 payees"] = post;
  calls["clearing: pay 100 payees out"] = payOut;

  const holder = receivers[0]?.address ?? zeroAddress;
  await usdc.write.mint([operator.account.address, 10n ** 9n]);
  const transfer = await gasOf(await usdc.write.transfer([holder, price]));
  return {
    calls,
    direct: Number(calls["settle a batch: 100 channels, 100 payees"]) / payments,
    directToOnePayee: Number(calls["settle a batch: 100 channels, 1 payee"]) / payments,
    cleared: Number(claims + post + payOut) / payments,
    erc20Transfer: Number(transfer),
    eip3009Transfer: Number(await authorizedTransfer()),
  };

  async function authorizedTransfer(): Promise<bigint> {
    const signer = keys[0];
    if (!signer) throw new Error("there is no payer");
    const message = {
      from: signer.address,
      to: holder,
      value: price,
      validAfter: 0n,
      validBefore: 2n ** 40n,
      nonce: keccak256("0x01"),
    };
    const signature = await signer.signTypedData({
      domain: { name: "USD Coin", version: "2", chainId, verifyingContract: usdc.address },
      types: {
        TransferWithAuthorization: [
          { name: "from", type: "address" },
          { name: "to", type: "address" },
          { name: "value", type: "uint256" },
          { name: "validAfter", type: "uint256" },
          { name: "validBefore", type: "uint256" },
          { name: "nonce", type: "bytes32" },
        ],
      },
      primaryType: "TransferWithAuthorization",
      message,
    });
    const data = encodeFunctionData({
      abi: usdc.abi,
      functionName: "transferWithAuthorization",
      args: [
        message.from,
        message.to,
        message.value,
        message.validAfter,
        message.validBefore,
        message.nonce,
        signature,
      ],
    });
    return gasOf(await operator.sendTransaction({ to: usdc.address, data }));
  }
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

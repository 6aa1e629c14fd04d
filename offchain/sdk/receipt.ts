import {
  concatHex,
  encodeAbiParameters,
  type Hex,
  hashStruct,
  hashTypedData,
  keccak256,
  recoverAddress,
} from "viem";
import { parseAmount } from "#offchain/domain/unit.ts";
import { batchSettlementAddress } from "./channel.ts";
import type { Client } from "./client.ts";

export type Receipt = Awaited<ReturnType<Client["payments"]["pay"]>>;

const receiptTypes = {
  Receipt: [
    { name: "paymentId", type: "uint256" },
    { name: "channelId", type: "bytes32" },
    { name: "payer", type: "address" },
    { name: "payee", type: "address" },
    { name: "amount", type: "uint256" },
    { name: "cumulative", type: "uint256" },
    { name: "acceptedAt", type: "uint256" },
    { name: "co2Micrograms", type: "uint256" },
    { name: "energyMillijoules", type: "uint256" },
    { name: "atp", type: "uint256" },
  ],
} as const;
const rootTypes = { ReceiptRoot: [{ name: "root", type: "bytes32" }] } as const;
const creditTypes = {
  CreditReceipt: [
    { name: "token", type: "address" },
    { name: "payee", type: "address" },
    { name: "cumulative", type: "uint128" },
    { name: "epoch", type: "uint64" },
  ],
} as const;

/**
 * Whether the operator signed this receipt: payment, channel, parties, amounts, time, carbon and ATP. What becomes of the
 * payment later (its state, batch and transaction) is not part of what is signed.
 * @param operator whom the caller trusts, e.g. the channel's `receiverAuthorizer`
 */
export async function verifyReceipt(
  receipt: Receipt,
  { operator, chainId }: { operator: `0x${string}`; chainId: number },
): Promise<boolean> {
  const { proof } = receipt;
  if (!proof || proof.operator.toLowerCase() !== operator.toLowerCase()) return false;
  const root = proof.path.reduce<Hex>((node, sibling) => hashPair(node, sibling as Hex), leafOf(receipt));
  if (root !== proof.root) return false;
  const hash = hashTypedData({
    domain: {
      name: "Bursar Receipts",
      version: "1",
      chainId,
      verifyingContract: batchSettlementAddress,
    },
    types: rootTypes,
    primaryType: "ReceiptRoot",
    message: { root },
  });
  return isSignedBy(operator, hash, proof.signature as Hex);
}

/** What the operator signs for a payee; see `IClearing.CreditReceipt`. */
export interface CreditReceipt {
  token: `0x${string}`;
  payee: `0x${string}`;
  /** Base units. */
  cumulative: bigint;
  epoch: bigint;
}

/** Whether the operator signed that the payee was credited so much in all: what Clearing takes as a challenge. */
export const verifyCredit = (
  credit: CreditReceipt,
  signature: `0x${string}`,
  { operator, chainId, clearing }: { operator: `0x${string}`; chainId: number; clearing: `0x${string}` },
): Promise<boolean> =>
  isSignedBy(
    operator,
    hashTypedData({
      domain: { name: "Clearing", version: "1", chainId, verifyingContract: clearing },
      types: creditTypes,
      primaryType: "CreditReceipt",
      message: credit,
    }),
    signature,
  );

function leafOf(receipt: Receipt): Hex {
  const { carbon, energy } = receipt;
  return keccak256(
    hashStruct({
      types: receiptTypes,
      primaryType: "Receipt",
      data: {
        paymentId: BigInt(receipt.paymentId),
        channelId: receipt.channelId as Hex,
        payer: receipt.payer as Hex,
        payee: receipt.payee as Hex,
        amount: parseAmount(receipt.amount.amount, "USDC"),
        cumulative: BigInt(receipt.cumulative),
        acceptedAt: BigInt(receipt.acceptedAt),
        co2Micrograms: BigInt(carbon?.co2Micrograms ?? 0),
        energyMillijoules: BigInt(carbon?.energyMillijoules ?? 0),
        atp: energy ? parseAmount(energy.atp.amount, "ATP") : 0n,
      },
    }),
  );
}

const hashPair = (one: Hex, other: Hex): Hex =>
  keccak256(one <= other ? concatHex([one, other]) : concatHex([other, one]));

async function isSignedBy(operator: string, hash: Hex, signature: Hex): Promise<boolean> {
  const signer = await recoverAddress({ hash, signature }).catch(() => null);
  return signer?.toLowerCase() === operator.toLowerCase();
}

/** The leaf of a payee's line in a root of Clearing, for checking a proof without the chain. */
export const creditLeaf = (payee: `0x${string}`, cumulative: bigint): Hex =>
  keccak256(keccak256(encodeAbiParameters([{ type: "address" }, { type: "uint256" }], [payee, cumulative])));

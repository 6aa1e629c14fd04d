import { concatHex, type Hex, hashStruct, hashTypedData, keccak256, recoverAddress } from "viem";
import { parseAmount, type UnitCode, units } from "#offchain/core/unit.ts";
import { clearingDomain, creditTypes } from "#offchain/features/clearing/messages.ts";
import { receiptDomain, receiptRootTypes, receiptTypes } from "#offchain/features/payments/messages.ts";
import type { Client } from "./client.ts";
import { batchSettlementAddress } from "./paying/channel.ts";

export type Receipt = Awaited<ReturnType<Client["payments"]["pay"]>>;
type BatchAnswer = Awaited<ReturnType<Client["payments"]["payBatch"]>>;

/**
 * Whether the operator signed this receipt: payment, channel, parties, amounts, time, carbon and ATP. What becomes of the
 * payment later (its state, batch and transaction) is not part of what is signed. The signed amount is a number of base
 * units of the channel's token; which unit that is the caller knows by the channel, and says if it is not USDC.
 * @param operator whom the caller trusts, e.g. the channel's `receiverAuthorizer`
 */
export async function verifyReceipt(
  receipt: Receipt,
  { operator, chainId, unit = "USDC" }: { operator: `0x${string}`; chainId: number; unit?: UnitCode },
): Promise<boolean> {
  const { proof } = receipt;
  if (receipt.amount.unit !== unit || !(unit in units)) return false;
  if (!proof || proof.operator.toLowerCase() !== operator.toLowerCase()) return false;
  const root = proof.path.reduce<Hex>((node, sibling) => hashPair(node, sibling as Hex), leafOf(receipt));
  if (root !== proof.root) return false;
  const hash = hashTypedData({
    domain: receiptDomain(chainId, batchSettlementAddress),
    types: receiptRootTypes,
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
  office: number;
  /** Unix seconds. */
  expiresAt: number;
}

/** Whether the operator signed that the payee was credited so much in all: what Clearing takes as a challenge, and as a demand. */
export const verifyCredit = (
  credit: CreditReceipt,
  signature: `0x${string}`,
  { operator, chainId, clearing }: { operator: `0x${string}`; chainId: number; clearing: `0x${string}` },
): Promise<boolean> =>
  isSignedBy(
    operator,
    hashTypedData({
      domain: clearingDomain(chainId, clearing),
      types: creditTypes,
      primaryType: "CreditReceipt",
      message: credit,
    }),
    signature,
  );

/**
 * The receipts of a batch's answer, which has one proof for all of them, each with the proof of its own: to be kept,
 * handed on and verified by itself.
 */
export function provenReceipts({ items, proof }: BatchAnswer): Receipt[] {
  const receipts = items.flatMap((item) => ("receipt" in item ? item.receipt : []));
  if (!proof) return receipts;
  const { operator, root, signature } = proof;
  const paths = pathsOf(receipts.map(leafOf), proof);
  return receipts.map((receipt, at) => ({
    ...receipt,
    proof: { operator, root, signature, path: paths[at] ?? [] },
  }));
}

/**
 * The way of each leaf to the root, for leaves that follow each other from number `first` on in a tree of `leaves`.
 * @param path the nodes beside theirs, from the leaves up, on each height the left one first
 */
export function pathsOf(
  own: readonly Hex[],
  { first, leaves, path }: { first: number; leaves: number; path: readonly string[] },
): Hex[][] {
  const paths: Hex[][] = own.map(() => []);
  const beside = [...path] as Hex[];
  let [nodes, from, size] = [[...own], first, leaves];
  for (let height = 0; size > 1; height += 1) {
    const left = from % 2 === 1 ? beside.splice(0, 1) : [];
    const end = from + nodes.length;
    const right = end % 2 === 1 && end < size ? beside.splice(0, 1) : [];
    nodes = [...left, ...nodes, ...right];
    from -= left.length;
    for (const [at, own] of paths.entries())
      own.push(...nodes.slice((((first + at) >> height) ^ 1) - from).slice(0, 1));
    nodes = Array.from({ length: Math.ceil(nodes.length / 2) }, (_, at) =>
      hashPair(nodes[2 * at], nodes[2 * at + 1]),
    );
    [from, size] = [from >> 1, (size + 1) >> 1];
  }
  return paths;
}

const leafOf = (receipt: Receipt): Hex =>
  hashStruct({
    types: receiptTypes,
    primaryType: "Receipt",
    data: {
      paymentId: BigInt(receipt.paymentId),
      channelId: receipt.channelId as Hex,
      payer: receipt.payer as Hex,
      payee: receipt.payee as Hex,
      amount: parseAmount(receipt.amount.amount, receipt.amount.unit),
      cumulative: BigInt(receipt.cumulative),
      acceptedAt: BigInt(receipt.acceptedAt),
      co2Micrograms: BigInt(receipt.carbon?.co2Micrograms ?? 0),
      energyMillijoules: BigInt(receipt.carbon?.energyMillijoules ?? 0),
      atp: receipt.energy ? parseAmount(receipt.energy.atp.amount, "ATP") : 0n,
    },
  });

/** A node without a partner goes up as it is. */
function hashPair(one: Hex = "0x", other?: Hex): Hex {
  if (!other) return one;
  return keccak256(one <= other ? concatHex([one, other]) : concatHex([other, one]));
}

async function isSignedBy(operator: string, hash: Hex, signature: Hex): Promise<boolean> {
  const signer = await recoverAddress({ hash, signature }).catch(() => null);
  return signer?.toLowerCase() === operator.toLowerCase();
}

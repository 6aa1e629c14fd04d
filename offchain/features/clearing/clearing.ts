import { type Address, getAddress, stringToHex } from "viem";
import { clearingAbi, parameterRegistryAbi, stakingAbi } from "#contracts";
import { type MerkleTree, merkleTree } from "#offchain/core/merkle.ts";
import { formatAmount } from "#offchain/core/unit.ts";
import { creditLeaf, type ReceiptSigner } from "#offchain/features/payments/receiptSigner.ts";
import { channelUnit } from "#offchain/features/payments/store/channels.ts";
import type { ChainReader } from "#offchain/platform/chain/client.ts";
import type { ChainView } from "#offchain/platform/chain/port.ts";
import { hexOf } from "#offchain/platform/database/bytes.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import type { Clearings, ClearingView, CreditStanding } from "./service.ts";
import {
  allCredits,
  type ClearingRoot,
  type CreditRow,
  creditedPayees,
  creditedTo,
  creditStanding,
  listRoots,
  nextRoot,
  rootByNumber,
  unpackRows,
} from "./store.ts";

/** `Clearing.CHALLENGE_WINDOW`. */
export const challengeWindowMs = 86_400_000;

export interface ClearingOptions {
  sql: Sql;
  client: ChainReader;
  view: ChainView;
  receipts: ReceiptSigner;
  addresses: { clearing: Address; staking: Address; parameterRegistry: Address; usdc: Address };
}

const usdc = (amount: bigint) => ({ amount: formatAmount(amount, channelUnit), unit: channelUnit });
const avt = (amount: bigint) => ({ amount: formatAmount(amount, "AVT"), unit: "AVT" as const });

export function openClearing({ sql, client, view, receipts, addresses }: ClearingOptions): Clearings {
  const clearing = { address: addresses.clearing, abi: clearingAbi } as const;

  async function bonds() {
    const [bond, wanted] = await Promise.all([
      client.readContract({
        address: addresses.staking,
        abi: stakingAbi,
        functionName: "bondOf",
        args: [receipts.operator],
      }),
      client.readContract({
        address: addresses.parameterRegistry,
        abi: parameterRegistryAbi,
        functionName: "valueOf",
        args: [stringToHex("clearingMinBond", { size: 32 })],
      }),
    ]);
    return { bond, wanted };
  }

  return {
    credits: () => allCredits(sql, view.status().epoch),
    payees: () => creditedPayees(sql),
    async isBonded() {
      const { bond, wanted } = await bonds();
      return bond >= wanted;
    },

    async show({ cursor, limit }): Promise<ClearingView> {
      const { epoch } = view.status();
      const before = cursor === undefined ? undefined : Number(cursor);
      const [{ bond, wanted }, { credited }, roots, received] = await Promise.all([
        bonds(),
        creditStanding(sql, epoch),
        listRoots(sql, epoch, Number.isSafeInteger(before) ? before : undefined, limit),
        client.readContract({ ...clearing, functionName: "receivedOf", args: [addresses.usdc] }),
      ]);
      const { timestamp } = await client.getBlock();
      return {
        contract: addresses.clearing,
        operator: receipts.operator,
        token: addresses.usdc,
        bond: avt(bond),
        bondWanted: avt(wanted),
        credited: usdc(credited),
        received: usdc(received),
        roots: roots.map((root) => ({
          number: root.number,
          state: stateOf(root, Number(timestamp) * 1000),
          root: root.root,
          total: usdc(root.total),
          payees: root.rows && unpackRows(root.rows).length,
          cutAt: root.cutAt,
          postedAt: root.postedAt,
          finalAt: root.postedAt === null ? null : root.postedAt + challengeWindowMs,
          openChallenges: root.openChallenges,
          transactionHash: root.transactionHash,
          payoutHash: root.payoutHash,
        })),
        next: roots.length === limit ? String(roots.at(-1)?.number) : null,
      };
    },

    async standing(payee): Promise<CreditStanding> {
      const { epoch } = view.status();
      const [credited, number, paid, finalEpoch] = await Promise.all([
        creditedTo(sql, epoch, payee),
        nextRoot(sql, epoch),
        client.readContract({ ...clearing, functionName: "paidOf", args: [addresses.usdc, payee] }),
        client.readContract({ ...clearing, functionName: "finalEpochOf", args: [addresses.usdc] }),
      ]);
      const final = finalEpoch === 0n ? null : await rootByNumber(sql, epoch, Number(finalEpoch));
      const line = final?.rows ? lineOf(unpackRows(final.rows), payee) : null;
      const token = addresses.usdc;
      const receipt = { payee, cumulative: credited, epoch: number };
      return {
        payee: getAddress(payee),
        credited: usdc(credited),
        paid: usdc(paid),
        owed: usdc(credited > paid ? credited - paid : 0n),
        receipt:
          credited === 0n
            ? null
            : {
                token,
                payee,
                cumulative: credited.toString(),
                epoch: number,
                signature: await receipts.signCredit(receipt),
              },
        claim: line && {
          token,
          epoch: Number(finalEpoch),
          payee,
          cumulative: line.cumulative.toString(),
          proof: line.proof,
        },
      };
    },
  };
}

/** The tree over a root's rows, as the contract computes it. */
export const creditTree = (rows: readonly CreditRow[]): MerkleTree =>
  merkleTree(rows.map(({ payee, cumulative }) => creditLeaf(payee, cumulative)));

/** A payee's line in a root with its proof; null when it has none. */
export function lineOf(
  rows: readonly CreditRow[],
  payee: string,
): { cumulative: bigint; proof: `0x${string}`[] } | null {
  const index = rows.findIndex((row) => row.payee.toLowerCase() === payee.toLowerCase());
  const row = rows[index];
  if (!row) return null;
  return { cumulative: row.cumulative, proof: creditTree(rows).proof(index).map(hexOf) };
}

function stateOf(root: ClearingRoot, chainNow: number): ClearingView["roots"][number]["state"] {
  if (root.state !== "posted") return root.state;
  if (root.paidAt !== null) return "paid";
  const isFinal = root.openChallenges === 0 && chainNow >= (root.postedAt ?? 0) + challengeWindowMs;
  return isFinal ? "final" : "pending";
}

import { hexToBytes } from "viem";
import { keccak256 } from "#offchain/core/keccak.ts";
import { merkleTree } from "#offchain/core/merkle.ts";
import { digestHasher, structHasher } from "#offchain/core/typedHash.ts";
import { parseAmount } from "#offchain/core/unit.ts";
import { signDigest } from "#offchain/platform/chain/secp256k1.ts";
import { hexOf } from "#offchain/platform/database/bytes.ts";
import type { Receipt, SignedReceipts } from "./service.ts";

/** Who signs receipts. */
export interface OperatorKey {
  readonly address: `0x${string}`;
  readonly privateKey: `0x${string}`;
}

/** All that a payee was ever credited, and the first root that must contain it; see `IClearing`. */
export interface CreditReceipt {
  payee: `0x${string}`;
  /** Base units. */
  cumulative: bigint;
  epoch: number;
}

/** The operator's word: for what was accepted, and for what payees are owed. */
export interface ReceiptSigner {
  readonly operator: `0x${string}`;
  /** Signs receipts together: one signature over their Merkle root, one credit receipt for each payee. At least one. */
  sign(receipts: readonly Receipt[]): Promise<{ receipts: Receipt[]; signed: SignedReceipts }>;
  signCredit(credit: CreditReceipt): Promise<`0x${string}`>;
  /** The digest that {@link signCredit} signs, and Clearing's `receiptDigest` gives. */
  creditDigest(credit: CreditReceipt): `0x${string}`;
}

/** This struct's hash is a receipt's leaf; `sdk/receipt.ts` checks it. */
const receiptHash = structHasher(
  "Receipt(uint256 paymentId,bytes32 channelId,address payer,address payee,uint256 amount,uint256 cumulative,uint256 acceptedAt,uint256 co2Micrograms,uint256 energyMillijoules,uint256 atp)",
);
const rootHash = structHasher("ReceiptRoot(bytes32 root)");
const creditHash = structHasher("CreditReceipt(address token,address payee,uint128 cumulative,uint64 epoch)");

/** One signature costs as much as verifying a voucher, so one stands for all receipts of a commit. */
export function openReceiptSigner(options: {
  chainId: number;
  key: OperatorKey;
  addresses: { batchSettlement: `0x${string}`; clearing: `0x${string}`; usdc: `0x${string}` };
}): ReceiptSigner {
  const { chainId, key, addresses } = options;
  const receiptDigest = digestHasher({
    name: "Bursar Receipts",
    version: "1",
    chainId,
    verifyingContract: addresses.batchSettlement,
  });
  const clearingDigest = digestHasher({
    name: "Clearing",
    version: "1",
    chainId,
    verifyingContract: addresses.clearing,
  });
  const creditDigest = ({ payee, cumulative, epoch }: CreditReceipt) =>
    hexOf(clearingDigest(creditHash(addresses.usdc, payee, cumulative, epoch)));
  const signCredit = (credit: CreditReceipt) => signDigest(creditDigest(credit), key.privateKey);

  /** Each payee's newest credit, signed: it says at least what any of its receipts here says. */
  async function signCredits(receipts: readonly Receipt[]): Promise<Map<string, Receipt["credit"]>> {
    const newest = new Map<string, CreditReceipt>();
    for (const { payee, credit } of receipts) {
      if (!credit) continue;
      const cumulative = BigInt(credit.cumulative);
      const known = newest.get(payee);
      if (!known || known.cumulative < cumulative)
        newest.set(payee, { payee: payee as `0x${string}`, cumulative, epoch: credit.root });
    }
    const signed = new Map<string, Receipt["credit"]>();
    for (const [payee, credit] of newest)
      signed.set(payee, {
        cumulative: credit.cumulative.toString(),
        root: credit.epoch,
        signature: await signCredit(credit),
      });
    return signed;
  }

  return {
    operator: key.address,
    creditDigest,
    signCredit,
    async sign(receipts) {
      const tree = merkleTree(receipts.map(leafOf));
      const root = hexOf(tree.root);
      const signature = await signDigest(hexOf(receiptDigest(rootHash(root))), key.privateKey);
      const credits = await signCredits(receipts);
      return {
        receipts: receipts.map((receipt) =>
          receipt.credit ? { ...receipt, credit: credits.get(receipt.payee) ?? null } : receipt,
        ),
        signed: {
          prove: (first, count) => ({
            operator: key.address,
            root,
            signature,
            first,
            leaves: receipts.length,
            path: tree.proof(first, count).map(hexOf),
          }),
        },
      };
    },
  };
}

function leafOf({ paymentId, channelId, payer, payee, amount, cumulative, acceptedAt, ...facts }: Receipt) {
  const { carbon, energy } = facts;
  return receiptHash(
    BigInt(paymentId),
    channelId as `0x${string}`,
    payer as `0x${string}`,
    payee as `0x${string}`,
    parseAmount(amount.amount, "USDC"),
    BigInt(cumulative),
    acceptedAt,
    BigInt(carbon?.co2Micrograms ?? 0),
    BigInt(carbon?.energyMillijoules ?? 0),
    energy ? parseAmount(energy.atp.amount, "ATP") : 0n,
  );
}

/** The leaf of a payee's line in a root of Clearing: keccak256(keccak256(abi.encode(payee, cumulative))). */
export function creditLeaf(payee: `0x${string}`, cumulative: bigint): Uint8Array {
  const encoded = Buffer.alloc(64);
  encoded.set(hexToBytes(payee), 12);
  encoded.write(cumulative.toString(16).padStart(64, "0"), 32, "hex");
  return keccak256(keccak256(encoded));
}

import { merkleTree } from "#offchain/core/merkle.ts";
import { digestHasher, structHasher, typeText } from "#offchain/core/typedHash.ts";
import { parseAmount } from "#offchain/core/unit.ts";
import type { DigestSigner } from "#offchain/platform/chain/signatures/signer.ts";
import { hexOf } from "#offchain/platform/database/bytes.ts";
import { receiptDomain, receiptRootTypes, receiptTypes } from "../messages.ts";
import type { Hub, HubCredit, Receipt, SignedReceipts } from "../service.ts";

/** Signs receipts for the operator. */
export interface ReceiptSigner {
  /** Signs receipts together: one signature over their Merkle root, one credit receipt for each payee. At least one. */
  sign(receipts: readonly Receipt[]): Promise<{ receipts: Receipt[]; signed: SignedReceipts }>;
}

const receiptHash = structHasher(typeText(receiptTypes, "Receipt"));
const rootHash = structHasher(typeText(receiptRootTypes, "ReceiptRoot"));

/** One signature costs as much as verifying a voucher, so one stands for all receipts of a commit. */
export function openReceiptSigner(options: {
  chainId: number;
  signer: DigestSigner;
  /** The BatchSettlement contract. */
  settlement: `0x${string}`;
  /** Signs what payees of cleared channels were credited. */
  signCredit: Hub["signCredit"];
}): ReceiptSigner {
  const { chainId, signer, settlement, signCredit } = options;
  const receiptDigest = digestHasher(receiptDomain(chainId, settlement));

  /** Signs each payee's newest credit, which covers all of its receipts in this group. */
  async function signCredits(receipts: readonly Receipt[]): Promise<Map<string, Receipt["credit"]>> {
    const newest = new Map<string, HubCredit>();
    for (const { payee, credit } of receipts) {
      if (!credit) continue;
      const { epoch, office, expiresAt } = credit;
      const cumulative = BigInt(credit.cumulative);
      const known = newest.get(payee);
      if (!known || known.cumulative < cumulative)
        newest.set(payee, { payee: payee as `0x${string}`, cumulative, epoch, office, expiresAt });
    }
    const signed = new Map<string, Receipt["credit"]>();
    for (const [payee, credit] of newest)
      signed.set(payee, {
        cumulative: credit.cumulative.toString(),
        epoch: credit.epoch,
        office: credit.office,
        expiresAt: credit.expiresAt,
        signature: await signCredit(credit),
      });
    return signed;
  }

  return {
    async sign(receipts) {
      const tree = merkleTree(receipts.map(leafOf));
      const root = hexOf(tree.root);
      const signature = await signer.signDigest(hexOf(receiptDigest(rootHash(root))));
      const credits = await signCredits(receipts);
      return {
        receipts: receipts.map((receipt) =>
          receipt.credit ? { ...receipt, credit: credits.get(receipt.payee) ?? null } : receipt,
        ),
        signed: {
          prove: (first, count) => ({
            operator: signer.address,
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
    parseAmount(amount.amount, amount.unit),
    BigInt(cumulative),
    acceptedAt,
    BigInt(carbon?.co2Micrograms ?? 0),
    BigInt(carbon?.energyMillijoules ?? 0),
    energy ? parseAmount(energy.atp.amount, "ATP") : 0n,
  );
}

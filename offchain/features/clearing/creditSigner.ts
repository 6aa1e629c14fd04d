import { digestHasher, structHasher, typeText } from "#offchain/core/typedHash.ts";
import type { HubCredit } from "#offchain/features/payments/service.ts";
import type { DigestSigner } from "#offchain/platform/chain/signatures/signer.ts";
import { hexOf } from "#offchain/platform/database/bytes.ts";
import { clearingDomain, creditTypes } from "./messages.ts";

const creditHash = structHasher(typeText(creditTypes, "CreditReceipt"));

/** Signs what payees were credited: the operator's word, by which Clearing voids an epoch that says less. */
export function creditSigner(options: {
  chainId: number;
  signer: DigestSigner;
  addresses: { clearing: `0x${string}`; usdc: `0x${string}` };
}): (credit: HubCredit) => Promise<`0x${string}`> {
  const { chainId, signer, addresses } = options;
  const digest = digestHasher(clearingDomain(chainId, addresses.clearing));
  return ({ payee, cumulative, epoch, office, expiresAt }) =>
    signer.signDigest(hexOf(digest(creditHash(addresses.usdc, payee, cumulative, epoch, office, expiresAt))));
}

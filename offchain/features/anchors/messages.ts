/** What the operator signs of the ledger's heads, as EIP-712 types: defined here once, for the service and whoever verifies. */

export const ledgerHeadsTypes = {
  LedgerHeads: [
    { name: "epoch", type: "uint256" },
    { name: "root", type: "bytes32" },
    { name: "count", type: "uint256" },
    { name: "takenAt", type: "uint256" },
  ],
} as const;

/** One leaf of the root, hashed as an EIP-712 struct and then once more, as `ReceiptAnchor.verify` reads leaves. */
export const ledgerHeadTypes = {
  LedgerHead: [
    { name: "unit", type: "string" },
    { name: "height", type: "uint256" },
    { name: "hash", type: "bytes32" },
    { name: "openings", type: "uint256" },
    { name: "openingHash", type: "bytes32" },
  ],
} as const;

/** @param receiptAnchor the ReceiptAnchor contract */
export const ledgerHeadsDomain = (chainId: number, receiptAnchor: `0x${string}`) =>
  ({ name: "Bursar Ledger", version: "1", chainId, verifyingContract: receiptAnchor }) as const;

/** What the operator signs for payees of cleared payments, as an EIP-712 type: once, for the service, the SDK and the page. */

/** That a payee was credited so much in all, which this epoch must contain; see `IClearing.CreditReceipt`. */
export const creditTypes = {
  CreditReceipt: [
    { name: "token", type: "address" },
    { name: "payee", type: "address" },
    { name: "cumulative", type: "uint128" },
    { name: "epoch", type: "uint64" },
    { name: "office", type: "uint32" },
    { name: "expiresAt", type: "uint40" },
  ],
} as const;

/** @param clearing the Clearing contract */
export const clearingDomain = (chainId: number, clearing: `0x${string}`) =>
  ({ name: "Clearing", version: "1", chainId, verifyingContract: clearing }) as const;

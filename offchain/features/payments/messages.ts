/**
 * What payers and the operator sign for payments, as EIP-712 types: defined here once, for the service, the SDK and the
 * page. Channel and voucher are x402's batch-settlement scheme, named as in the npm package `@x402/evm` 2.27.0.
 */

export const channelTypes = {
  ChannelConfig: [
    { name: "payer", type: "address" },
    { name: "payerAuthorizer", type: "address" },
    { name: "receiver", type: "address" },
    { name: "receiverAuthorizer", type: "address" },
    { name: "token", type: "address" },
    { name: "withdrawDelay", type: "uint40" },
    { name: "salt", type: "bytes32" },
  ],
} as const;

/** What the payer's authorizer signs: the receiver may have so much in all, every earlier payment included. */
export const voucherTypes = {
  Voucher: [
    { name: "channelId", type: "bytes32" },
    { name: "maxClaimableAmount", type: "uint128" },
  ],
} as const;

/** ERC-3009: a deposit, to the scheme's collector. */
export const depositTypes = {
  ReceiveWithAuthorization: [
    { name: "from", type: "address" },
    { name: "to", type: "address" },
    { name: "value", type: "uint256" },
    { name: "validAfter", type: "uint256" },
    { name: "validBefore", type: "uint256" },
    { name: "nonce", type: "bytes32" },
  ],
} as const;

/** A receipt. Its struct's hash is a leaf of the tree whose root the operator signs. */
export const receiptTypes = {
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

/** The operator's word for all receipts under one root. */
export const receiptRootTypes = { ReceiptRoot: [{ name: "root", type: "bytes32" }] } as const;

/** Of channels and vouchers. @param settlement the BatchSettlement contract */
export const settlementDomain = (chainId: number, settlement: `0x${string}`) =>
  ({ name: "x402 Batch Settlement", version: "1", chainId, verifyingContract: settlement }) as const;

/** Of receipts. @param settlement the BatchSettlement contract */
export const receiptDomain = (chainId: number, settlement: `0x${string}`) =>
  ({ name: "Bursar Receipts", version: "1", chainId, verifyingContract: settlement }) as const;

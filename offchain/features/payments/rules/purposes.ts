/** What each transaction of payments is for, as it stands beside it in the sender's queue. */
export const purposes = {
  /** Claims of a batch, in as few transactions as hold them. */
  settlement: "batch.settle",
  /** A claim that a payer's own code must take. */
  payerClaim: "channel.claim",
  deposit: "channel.deposit",
  payout: "payee.settle",
} as const;

import { paidOn } from "./hub.ts";

/** A channel's figures as the books hold them. */
export interface BookedChannel {
  channelId: `0x${string}`;
  balance: bigint;
  claimed: bigint;
  /** The ledger's account of the channel. */
  account: bigint;
}

/** A figure of a channel on which the chain and the books differ. */
export interface Difference {
  channelId: `0x${string}`;
  field: "balance" | "claimed" | "ledger";
  chain: bigint;
  ledger: bigint;
}

/** Where a channel's figures differ from what the settlement contract says of it: its balance, and what is claimed. */
export function differencesOf(
  { channelId, ...booked }: BookedChannel,
  [balance, claimed]: readonly [bigint, bigint],
): Difference[] {
  const checks = [
    { field: "balance", chain: balance, ledger: booked.balance },
    { field: "claimed", chain: claimed, ledger: booked.claimed },
    { field: "ledger", chain: balance - claimed, ledger: booked.account },
  ] as const;
  return checks
    .filter(({ chain, ledger }) => chain !== ledger)
    .map((difference) => ({ channelId, ...difference }));
}

/** What Clearing holds of what channels paid it. What else anybody sends it is none of the books' business. */
export function heldForPayees(amounts: {
  received: bigint;
  balance: bigint;
  /** Claimed from channels for it, and of that, paid out to it. */
  claimed: bigint;
  settled: bigint;
}): bigint {
  const paid = paidOn({ ...amounts, onItsWay: amounts.claimed - amounts.settled });
  return amounts.settled > paid ? amounts.settled - paid : 0n;
}

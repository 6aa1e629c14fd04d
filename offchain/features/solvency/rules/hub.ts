import { nothingOwed, type Obligation, obligationSum } from "./proof.ts";

/**
 * How much of what a receiver of channels received it has passed on: received = balance + on its way + paid.
 * @param onItsWay claimed from channels for it, and not paid out to it yet
 */
export const paidOn = (amounts: { received: bigint; balance: bigint; onItsWay: bigint }): bigint =>
  amounts.received - amounts.balance - amounts.onItsWay;

/** What the Clearing contract says of one token. Base units. */
export interface HubStanding {
  /** What payees are credited on the chain, beyond what was paid; of an epoch that can be challenged yet as well. */
  promised: bigint;
  /** What of its credit has left for each payee in all, by lower-case address; nothing for whoever is not in it. */
  paid: ReadonlyMap<string, bigint>;
}

/**
 * What channels owe to the hub is owed to the payees that it has credited: theirs are the leaves. What it was promised
 * or has promised on the chain beyond that stays its own.
 * @param credited what payees were ever credited, by lower-case address
 * @param owner the hub's own address, lower-case
 */
export function owedThroughHub(
  before: ReadonlyMap<string, Obligation>,
  credited: ReadonlyMap<string, { readonly credited: bigint }>,
  hub: HubStanding,
  owner: string,
): Map<string, Obligation> {
  const owed = new Map(before);
  const own = owed.get(owner) ?? nothingOwed;
  let sum = 0n;
  for (const [payee, { credited: all }] of credited) {
    const credits = all - (hub.paid.get(payee) ?? 0n);
    if (credits <= 0n) continue;
    sum += credits;
    owed.set(payee, { ...(owed.get(payee) ?? nothingOwed), credits });
  }
  const inBooks = own.promised + own.claimed;
  let most = sum;
  for (const amount of [inBooks, hub.promised]) if (amount > most) most = amount;
  const left = { ...own, promised: 0n, claimed: 0n, credits: most - sum };
  if (obligationSum(left) > 0n) owed.set(owner, left);
  else owed.delete(owner);
  return owed;
}

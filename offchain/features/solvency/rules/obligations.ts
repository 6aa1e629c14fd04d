import type { UnitCode } from "#offchain/core/unit.ts";
import { nothingOwed, type Obligation, type ObligationKind, obligationKinds, ownerOf } from "./proof.ts";

/** An account of the ledger that holds something for somebody. */
export interface OwedAccount {
  name: string;
  unit: UnitCode;
  balance: bigint;
  pending: bigint;
}

/** Who owns the money of a channel's account: the receiver owns what the payer has signed over to it, the payer owns the rest. */
export interface ChannelParties {
  channelId: `0x${string}`;
  payer: `0x${string}`;
  receiver: `0x${string}`;
  claimed: bigint;
}

/**
 * One obligation for each owner and unit. A channel's account is owed to two: the payer, and whom he signed for.
 * @param parties of channels' accounts, by account name
 * @param charged what the paywall's vouchers promise in all, by channel id
 */
export function gatherObligations(
  units: readonly UnitCode[],
  accounts: readonly OwedAccount[],
  parties: ReadonlyMap<string, ChannelParties>,
  charged: ReadonlyMap<string, bigint>,
): Map<UnitCode, Map<string, Obligation>> {
  const owed = new Map<UnitCode, Map<string, Obligation>>(units.map((unit) => [unit, new Map()]));
  const add = (unit: UnitCode, owner: string, kind: ObligationKind, amount: bigint) => {
    if (amount <= 0n) return;
    const owners = owed.get(unit) ?? new Map<string, Obligation>();
    const before = owners.get(owner) ?? nothingOwed;
    owners.set(owner, { ...before, [kind]: before[kind] + amount });
    owed.set(unit, owners);
  };
  for (const account of accounts) {
    const { name, unit, balance } = account;
    const channel = parties.get(name);
    if (!channel) {
      add(unit, ownerOf(name), name.startsWith("payee:") ? "claimed" : "balance", balance);
      continue;
    }
    const promised = promisedOf(account, channel, charged.get(channel.channelId));
    add(unit, channel.receiver.toLowerCase(), "promised", promised);
    add(unit, channel.payer.toLowerCase(), "deposits", balance - promised);
  }
  return owed;
}

/** What accepted vouchers of a channel promise beyond what is claimed, the paywall's too; no more than is there. */
function promisedOf(
  { balance, pending }: OwedAccount,
  { claimed }: ChannelParties,
  charged: bigint | undefined,
): bigint {
  const wanted = charged !== undefined && charged - claimed > pending ? charged - claimed : pending;
  return wanted < balance ? wanted : balance;
}

/** What is owed in all, by what it is. */
export function totals(owed: Iterable<Obligation>): Obligation {
  const sums: Record<ObligationKind, bigint> = { ...nothingOwed };
  for (const parts of owed) for (const kind of obligationKinds) sums[kind] += parts[kind];
  return sums;
}

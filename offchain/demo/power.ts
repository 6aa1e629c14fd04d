import { BursarError } from "#offchain/core/error.ts";
import type { Client } from "#offchain/sdk/client.ts";
import { untilAnswered } from "#offchain/sdk/http/retry.ts";

/** The demo's energy society: one for each chain on which a demo is at work. */
export const societyOf = (chainId: number): string => `demo-${chainId}`;

/** The solar plant that a society declares. */
const plantOf = (society: string) =>
  ({ serial: `${society.toUpperCase()}-ROOF`, ratedWatts: "5000", degradationBps: 9_500 }) as const;
const chargeAtp = 1_000n;
const issuedAdp = "1000000";

export interface PowerOptions {
  society: string;
  /** The society's owner. */
  owner: Pick<Client, "energy">;
  ownerAddress: `0x${string}`;
  /** The operator, who alone creates ADP; null where another has opened the society. */
  operator: Pick<Client, "energy"> | null;
  /** Tells one life of the demo from another in idempotency keys. */
  life: string;
  now: () => number;
  signal: AbortSignal;
}

/** Opens the society with its ADP and charges its first ATP. */
export async function openSociety(options: PowerOptions): Promise<void> {
  const { society, operator, ownerAddress, life, signal } = options;
  const issue = { key: `${life}-issue-${ownerAddress}`, society, owner: ownerAddress, adp: issuedAdp };
  if (operator) await untilAnswered(() => operator.energy.issue(issue), { signal });
  await charge(options);
}

/** Proves the plant anew and charges what its capacity still allows, in lots; enough is enough. */
export async function charge({ society, owner, life, now, signal }: PowerOptions): Promise<void> {
  const at = now();
  const plant = plantOf(society);
  const proof = { kind: "solar" as const, method: "declared by the demo", provenAt: at, ...plant };
  await untilAnswered(() => owner.energy.source({ society, proof }), { signal });
  const lot = {
    key: `${life}-charge-${at}`,
    society,
    source: `solar:${plant.serial}`,
    atp: String(chargeAtp),
  };
  try {
    await untilAnswered(() => owner.energy.charge(lot), { signal });
  } catch (error) {
    // The plant backs no more: what is charged already must do.
    if (!(error instanceof BursarError) || error.code !== "CAPACITY_EXCEEDED") throw error;
  }
}

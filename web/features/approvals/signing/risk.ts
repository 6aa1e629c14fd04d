import { getAddress } from "viem";
import type { Proposal } from "@/lib/model.ts";
import { partiesOf, type Stops } from "../reading/stops.ts";

/** Something that stands against signing or executing now. */
export interface Risk {
  kind: "paused" | "frozen" | "removed" | "frozenPayee" | "denied" | "fails";
  /** The account's address, or why it would fail. */
  about: string;
}

/** What a decision needs and could not be read: that nothing is known of a stop does not mean that there is none. */
export type Unread = "stops" | "simulation";

/** What a person must know before a decision: proposals take effect whoever is stopped. */
export function risksOf(
  proposal: Pick<Proposal, "calls" | "proposer">,
  now: {
    /** Null while it is not known. */
    stops: Stops | null;
    /** Why it would fail if executed now; null if it would not. */
    failure: string | null;
  },
): Risk[] {
  const fails = now.failure === null ? [] : [{ kind: "fails" as const, about: now.failure }];
  const parties = partiesOf(proposal);
  if (!parties || !now.stops) return fails;
  const { isPaused, frozen, removed, denied } = now.stops;
  const told = (kind: Risk["kind"], accounts: readonly string[]) =>
    [...new Set(accounts)].map((about) => ({ kind, about: getAddress(about) }));
  return [
    ...(isPaused ? [{ kind: "paused" as const, about: "" }] : []),
    ...told(
      "frozen",
      parties.spenders.filter((one) => frozen.includes(one)),
    ),
    ...told("removed", removed),
    ...told(
      "frozenPayee",
      parties.payees.filter((one) => frozen.includes(one)),
    ),
    ...told(
      "denied",
      denied.map(({ payee }) => payee),
    ),
    ...fails,
  ];
}

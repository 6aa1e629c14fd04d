import { getAddress } from "viem";
import type { Proposal } from "@/lib/model.ts";
import { type Payment, partiesOf, type Stops } from "../reading/stops.ts";

/** Something that stands against signing or executing now. */
export interface Risk {
  kind: "paused" | "frozen" | "removed" | "frozenPayee" | "denied" | "fails";
  /** The account's address, or why it would fail. */
  about: string;
}

/** What a decision needs and could not be read: that nothing is known of a stop does not mean that there is none. */
export type Unread = "stops" | "denials" | "simulation";

/** What is known of it is told, whatever else is not. */
const nothing: Stops = { isPaused: false, frozen: [], removed: [], unlisted: [] };

/** What a person must know before a decision: proposals take effect whoever is stopped. */
export function risksOf(
  proposal: Pick<Proposal, "calls" | "proposer">,
  now: {
    /** Null while it is not known. */
    stops: Stops | null;
    /** Whom owners have denied; null while it is not known. */
    denied: readonly Payment[] | null;
    /** Why it would fail if executed now; null if it would not. */
    failure: string | null;
  },
): Risk[] {
  const fails = now.failure === null ? [] : [{ kind: "fails" as const, about: now.failure }];
  const parties = partiesOf(proposal);
  if (!parties) return fails;
  const { isPaused, frozen, removed, unlisted } = now.stops ?? nothing;
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
      [...(now.denied ?? []), ...unlisted].map(({ payee }) => payee),
    ),
    ...fails,
  ];
}

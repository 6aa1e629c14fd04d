"use client";
import type { Proposal } from "@/lib/model.ts";
import { Notice } from "@/ui/Notice.tsx";
import type { Risks } from "./useRisks.ts";
import { riskWords, unreadWords } from "./words.ts";

/** What stands against signing or executing a proposal. */
export function RiskNotice({ proposal, risks }: { proposal: Proposal; risks: Risks }) {
  const told = risks.of(proposal);
  if (told.length === 0) return null;
  return (
    <Notice isAlert tone="warn" title={riskWords.title}>
      {told.map((risk) => (
        <p key={risk.kind + risk.about}>{riskWords[risk.kind](risk.about)}</p>
      ))}
    </Notice>
  );
}

/** What is not known of the stops. To decide all the same is a decision of its own: silence must not look like consent. */
export function UnreadNotice({ risks: { unread, isAsking, isConfirmed, confirm } }: { risks: Risks }) {
  if (unread.length === 0)
    return isAsking ? <p className="text-ink-3 text-sm">{unreadWords.asking}</p> : null;
  return (
    <Notice isAlert tone="bad" title={unreadWords.title}>
      {unread.map((what) => (
        <p key={what}>{unreadWords[what]}</p>
      ))}
      <label className="mt-2 flex min-h-6 items-start gap-2.5 text-ink">
        <input
          type="checkbox"
          className="mt-0.5 size-4 shrink-0 accent-accent"
          checked={isConfirmed}
          onChange={({ target }) => confirm(target.checked)}
        />
        {unreadWords.confirm}
      </label>
    </Notice>
  );
}

"use client";
import { useConnection, useTransaction } from "wagmi";
import type { Proposal } from "@/lib/model.ts";
import { isSameAddress } from "@/lib/names.ts";
import { Address } from "@/ui/Address.tsx";
import { Badge } from "@/ui/Badge.tsx";
import { cx } from "@/ui/cx.ts";
import { Icon } from "@/ui/Icon.tsx";
import { Section } from "@/ui/Section.tsx";
import { Ago } from "@/ui/Time.tsx";
import { approvedByExecuting } from "./rules.ts";
import { signerWords } from "./words.ts";

/** Who has signed, when and how; who is still missing. */
export function Signers({ proposal, isOpen }: { proposal: Proposal; isOpen: boolean }) {
  const { address } = useConnection();
  const { approvals, missing, threshold } = proposal;
  const executor = useExecutor(proposal);
  const signed = approvals.filter(({ counts }) => counts).length + (executor ? 1 : 0);
  return (
    <Section title="Signatures" note={signerWords.count(signed, threshold)}>
      <ol className="space-y-3">
        {approvals.map(({ owner, approvedAt, by, counts }) => (
          <Signer key={owner} owner={owner} isDone={counts} isMe={isSameAddress(owner, address)}>
            {by === "signature" ? signerWords.signed : signerWords.approved} <Ago at={approvedAt} />
            {!counts && signerWords.leftOwners}
          </Signer>
        ))}
        {missing.map((owner) => (
          <Signer key={owner} owner={owner} isDone={owner === executor} isMe={isSameAddress(owner, address)}>
            {owner === executor ? (
              <>
                {signerWords.executed} {proposal.executedAt !== null && <Ago at={proposal.executedAt} />}
              </>
            ) : (
              signerWords.missing(isOpen && signed < threshold)
            )}
          </Signer>
        ))}
      </ol>
    </Section>
  );
}

/** Who sent the execution, read from the chain: the service keeps only who signed before. */
function useExecutor(proposal: Proposal): string | null {
  const hash = proposal.state === "executed" ? proposal.transactionHash : null;
  const { data } = useTransaction({
    hash: (hash ?? undefined) as `0x${string}` | undefined,
    query: { enabled: hash !== null, staleTime: Number.POSITIVE_INFINITY },
  });
  return approvedByExecuting(proposal, data);
}

function Signer({
  owner,
  isDone,
  isMe,
  children,
}: {
  owner: string;
  isDone: boolean;
  isMe: boolean;
  children: React.ReactNode;
}) {
  return (
    <li className="flex items-start gap-2.5">
      <span
        aria-hidden="true"
        className={cx(
          "mt-0.5 grid size-5 shrink-0 place-items-center rounded-full",
          isDone ? "bg-accent text-on-accent" : "border border-edge/70 border-dashed text-ink-3",
        )}
      >
        {isDone && <Icon name="check" className="size-3" />}
      </span>
      <div className="min-w-0 flex-1">
        <div className="flex flex-wrap items-center gap-x-2">
          <Address address={owner} />
          {isMe && <Badge tone="accent">You</Badge>}
        </div>
        <p className="text-ink-3 text-sm">{children}</p>
      </div>
    </li>
  );
}

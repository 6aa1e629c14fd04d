"use client";
import { useQuery } from "@tanstack/react-query";
import { zeroAddress } from "viem";
import { verifySolvencyLine, verifySolvencySignature } from "#offchain/sdk/solvency.ts";
import { useChainSilence, useIsSilent } from "@/lib/live/hearing.ts";
import type { SolvencyLine, SolvencyReport } from "@/lib/model.ts";
import { solvencyQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Badge } from "@/ui/Badge.tsx";
import { FailureNotice, Notice } from "@/ui/Notice.tsx";
import { Empty, PageHead, Section, Skeleton } from "@/ui/Section.tsx";
import { Ago } from "@/ui/Time.tsx";
import { ProofCheck } from "./ProofCheck.tsx";
import { TokenLine } from "./TokenLine.tsx";
import { isIdle, solvencyWords, statusBadges, verdictWords } from "./words.ts";

/** What the service owes against what the contracts hold, and the proof that one's own part is counted. */
export function SolvencyPage() {
  const { data, error, refetch } = useQuery(solvencyQuery(useService()));
  const isUnheard = useIsSilent();
  const chainSilence = useChainSilence();
  const isSilent = isUnheard || chainSilence !== null;
  return (
    <div className="space-y-6">
      <PageHead title="Solvency">
        {data ? <Standing report={data} isSilent={isSilent} /> : solvencyWords.intro}
      </PageHead>
      {!data && error && <FailureNotice error={error} onRetry={() => refetch()} />}
      {!data && !error && <Skeleton rows={6} label={solvencyWords.loading} />}
      {data && (error || isSilent) && (
        <Notice
          tone="warn"
          title={chainSilence ?? (isUnheard ? solvencyWords.silent.title : solvencyWords.refused)}
        >
          {solvencyWords.silent.text}
        </Notice>
      )}
      {data && <Lines report={data} isSilent={isSilent} />}
      {data && <ProofCheck report={data} />}
    </div>
  );
}

function Standing({ report, isSilent }: { report: SolvencyReport; isSilent: boolean }) {
  const { word, tone, title } = statusBadges[report.status];
  return (
    <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
      <Badge tone={isSilent ? "neutral" : report.isSolvent ? "good" : "bad"}>{verdictWords(report)}</Badge>
      <span>
        {solvencyWords.atBlock(report.blockNumber)} <Ago at={report.takenAt} />
      </span>
      <span title={title}>
        <Badge tone={isSilent ? "neutral" : tone}>{word}</Badge>
      </span>
    </div>
  );
}

function Lines({ report, isSilent }: { report: SolvencyReport; isSilent: boolean }) {
  const lines = report.items.filter((line) => !isIdle(line));
  const idle = report.items.filter(isIdle).map(({ unit }) => unit);
  return (
    <>
      {lines.flatMap((line) =>
        line.isSolvent ? (
          []
        ) : (
          <Notice key={line.unit} isAlert tone="bad" title={solvencyWords.deficit(line).title}>
            {solvencyWords.deficit(line).text}
          </Notice>
        ),
      )}
      {lines.length === 0 && (
        <Section title="Obligations" flush>
          <Empty title={solvencyWords.empty.title}>{solvencyWords.empty.text}</Empty>
        </Section>
      )}
      {lines.map((line) => (
        <CheckedLine key={line.unit} report={report} line={line} isSilent={isSilent} />
      ))}
      {lines.length > 0 && idle.length > 0 && (
        <p className="text-ink-3 text-sm">{solvencyWords.idle(idle)}</p>
      )}
    </>
  );
}

/** What this page finds by itself about a line's root. */
function CheckedLine({
  report,
  line,
  isSilent,
}: {
  report: SolvencyReport;
  line: SolvencyLine;
  isSilent: boolean;
}) {
  const { data: isSigned = null } = useQuery({
    queryKey: ["solvency signature", line.root, line.signed],
    queryFn: () => verifySolvencySignature(report, line, line.signed?.by ?? zeroAddress),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <TokenLine
      line={line}
      isSilent={isSilent}
      isCommitted={verifySolvencyLine(report, line)}
      isSigned={isSigned}
    />
  );
}

import { share } from "@/lib/format.ts";
import type { SolvencyLine } from "@/lib/model.ts";
import { Address, Hash } from "@/ui/Address.tsx";
import { Badge } from "@/ui/Badge.tsx";
import { Figure, Line } from "@/ui/Figure.tsx";
import { Meter } from "@/ui/Meter.tsx";
import { Money } from "@/ui/Money.tsx";
import { Section } from "@/ui/Section.tsx";
import { lineWords, partNames, parts, verdictOf } from "./words.ts";

interface TokenLineProps {
  line: SolvencyLine;
  /** The service does not answer: what it said last may hold no more. */
  isSilent: boolean;
  /** The root is that of the sum shown. */
  isCommitted: boolean;
  /** The signature is that of the one named; null while this page checks it. */
  isSigned: boolean | null;
}

/** One token: owed and held, and of what both consist. */
export function TokenLine({ line, isSilent, isCommitted, isSigned }: TokenLineProps) {
  const { word, tone } = verdictOf(line);
  return (
    <Section title={line.unit} aside={<Badge tone={isSilent ? "neutral" : tone}>{word}</Badge>}>
      <dl className="grid grid-cols-2 gap-x-8 gap-y-5 lg:grid-cols-3">
        <Figure label="Obligations" note={lineWords.obligations}>
          <Money {...line.obligations} />
        </Figure>
        <Figure label="Holdings" note={lineWords.holdings}>
          <Money {...line.holdings} />
        </Figure>
        <Figure label={line.isSolvent ? "Surplus" : "Deficit"} note={lineWords.surplus}>
          <span className={line.isSolvent ? undefined : "text-bad"}>
            <Money {...line.surplus} />
          </span>
        </Figure>
      </dl>
      <div className="mt-5">
        <Meter
          label={lineWords.meter}
          value={line.isSolvent ? share(line.obligations.amount, line.holdings.amount) : 1}
          tone={line.isSolvent ? "accent" : "bad"}
          words={
            <>
              <Money {...line.obligations} className="font-medium text-ink" /> {lineWords.owedOf}{" "}
              <Money {...line.holdings} /> {lineWords.held}
            </>
          }
        />
      </div>
      <div className="mt-5 grid gap-x-10 gap-y-4 border-line border-t pt-3 lg:grid-cols-2">
        <div>
          <h3 className="font-medium text-sm">{lineWords.owed}</h3>
          <dl>
            {parts.map((part) => (
              <Line key={part} label={partNames[part]}>
                <Money {...line.parts[part]} />
              </Line>
            ))}
          </dl>
        </div>
        <Holders line={line} isCommitted={isCommitted} isSigned={isSigned} />
      </div>
    </Section>
  );
}

/** Who holds the token for the ledger, and the root that commits to what is owed. */
function Holders({ line, isCommitted, isSigned }: Omit<TokenLineProps, "isSilent">) {
  return (
    <div>
      <h3 className="font-medium text-sm">{lineWords.holders}</h3>
      <dl>
        {line.holders.map(({ name, address, holds }) => (
          <Line
            key={address}
            label={
              <>
                {name} <Address address={address} name="" />
              </>
            }
          >
            <Money {...holds} />
          </Line>
        ))}
        {line.holders.length === 0 && <Line label="Nobody">{lineWords.noHolder}</Line>}
        <Line label={lineWords.root}>
          <Hash hash={line.root} what={lineWords.rootOf(line.unit)} />
        </Line>
        <Line label={lineWords.isCommitted}>
          {isCommitted ? lineWords.committed : <span className="text-bad">{lineWords.notCommitted}</span>}
        </Line>
        <Line label={lineWords.signer}>
          <Signer line={line} isSigned={isSigned} />
        </Line>
        <Line label={lineWords.previous}>
          <Hash hash={line.previous} what={lineWords.previousOf(line.unit)} />
        </Line>
      </dl>
    </div>
  );
}

function Signer({ line: { signed }, isSigned }: Pick<TokenLineProps, "line" | "isSigned">) {
  if (!signed) return <span className="text-bad">Nobody</span>;
  return (
    <span className="inline-flex flex-wrap items-center justify-end gap-x-2">
      <Address address={signed.by} hasCopy={false} />
      <span className={isSigned === false ? "text-bad" : undefined}>{lineWords.signature(isSigned)}</span>
    </span>
  );
}

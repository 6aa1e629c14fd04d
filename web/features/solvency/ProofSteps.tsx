import { integerText, shortHex } from "@/lib/format.ts";
import { Hash } from "@/ui/Address.tsx";
import { Line } from "@/ui/Figure.tsx";
import { Money } from "@/ui/Money.tsx";
import { Notice } from "@/ui/Notice.tsx";
import { Table } from "@/ui/table/Table.tsx";
import type { ProofCheck } from "./check.ts";
import { partNames, parts, proofWords, verdicts } from "./words.ts";

/** The verdict, and every step that led to it, so that anybody may do the sum again. */
export function ProofSteps({ check }: { check: ProofCheck }) {
  const { proof, verification, unit, owed, steps } = check;
  return (
    <div className="space-y-4">
      <Verdict check={check} />
      <HoldingsVerdict check={check} />
      <div className="grid gap-x-10 gap-y-4 lg:grid-cols-2">
        <div>
          <h3 className="font-medium text-sm">{proofWords.leaf}</h3>
          <dl>
            {parts.map((part) => (
              <Line key={part} label={partNames[part]}>
                <Money amount={check.parts[part]} unit={unit} />
              </Line>
            ))}
            <Line label={proofWords.together}>
              <Money amount={owed} unit={unit} />
            </Line>
          </dl>
        </div>
        <div>
          <h3 className="font-medium text-sm">{proofWords.root}</h3>
          <dl>
            <Line label="Block">{integerText(proof.blockNumber)}</Line>
            <Line label={proofWords.reported}>
              <Hash hash={proof.root} what={proofWords.reportedHash} />
            </Line>
            <Line label={proofWords.computed}>
              {verification.root ? <Hash hash={verification.root} what={proofWords.computedHash} /> : "none"}
            </Line>
          </dl>
        </div>
      </div>
      {steps.length > 0 && (
        <Table
          caption={proofWords.steps}
          columns={[
            { label: "Step", cell: ({ level }) => level },
            { label: "Neighbour", cell: ({ side }) => proofWords.side[side] },
            {
              label: "Its sum",
              align: "end",
              cell: ({ neighbour }) => <Money amount={neighbour} unit={unit} />,
            },
            {
              label: proofWords.together,
              align: "end",
              cell: ({ together }) => <Money amount={together} unit={unit} />,
            },
            {
              label: proofWords.hash,
              cell: ({ hash }) => (
                <span className="font-mono text-[0.92em]" title={hash}>
                  {shortHex(hash, 6)}
                </span>
              ),
            },
          ]}
          rows={steps.map((step, level) => ({ ...step, level: level + 1 }))}
          keyOf={({ level }) => String(level)}
        />
      )}
    </div>
  );
}

function Verdict({ check: { verification, owed, unit, obligations } }: { check: ProofCheck }) {
  if (!verification.isValid) {
    const { title, text } = verdicts.invalid(verification.problem);
    return (
      <Notice isAlert tone="bad" title={title}>
        {text}
      </Notice>
    );
  }
  const { title, text } = verdicts.counted(owed, obligations, unit);
  return (
    <Notice tone="good" title={title}>
      {text}
    </Notice>
  );
}

function HoldingsVerdict({ check: { holdings } }: { check: ProofCheck }) {
  if (holdings === null)
    return (
      <Notice tone="warn" title={verdicts.unread.title}>
        {verdicts.unread.text}
      </Notice>
    );
  if (!holdings.isSameBlock || holdings.differing.length > 0)
    return (
      <Notice isAlert tone="bad" title={verdicts.differing}>
        {holdings.isSameBlock ? verdicts.otherBalances(holdings.differing) : verdicts.otherBlock}
      </Notice>
    );
  return (
    <Notice tone="good" title={verdicts.equal.title}>
      {verdicts.equal.text}
    </Notice>
  );
}

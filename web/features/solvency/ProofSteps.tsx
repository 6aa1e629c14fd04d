import { amountText, integerText, shortHex } from "@/lib/format.ts";
import { Hash } from "@/ui/Address.tsx";
import { Line } from "@/ui/Figure.tsx";
import { Money } from "@/ui/Money.tsx";
import { Notice } from "@/ui/Notice.tsx";
import { Table } from "@/ui/table/Table.tsx";
import type { ProofCheck } from "./check.ts";
import { partNames, parts } from "./words.ts";

/** The verdict, and every step that led to it, so that anybody may do the sum again. */
export function ProofSteps({ check }: { check: ProofCheck }) {
  const { proof, verification, unit, owed, steps } = check;
  return (
    <div className="space-y-4">
      <Verdict check={check} />
      <HoldingsVerdict check={check} />
      <div className="grid gap-x-10 gap-y-4 lg:grid-cols-2">
        <div>
          <h3 className="font-medium text-sm">Your leaf</h3>
          <dl>
            {parts.map((part) => (
              <Line key={part} label={partNames[part]}>
                <Money amount={check.parts[part]} unit={unit} />
              </Line>
            ))}
            <Line label="Together">
              <Money amount={owed} unit={unit} />
            </Line>
          </dl>
        </div>
        <div>
          <h3 className="font-medium text-sm">What the root is about</h3>
          <dl>
            <Line label="Block">{integerText(proof.blockNumber)}</Line>
            <Line label="Root in the report">
              <Hash hash={proof.root} what="root in the report" />
            </Line>
            <Line label="Root that this page computed">
              {verification.root ? <Hash hash={verification.root} what="root that was computed" /> : "none"}
            </Line>
          </dl>
        </div>
      </div>
      {steps.length > 0 && (
        <Table
          caption="Steps from your leaf to the root"
          columns={[
            { label: "Step", cell: ({ level }) => level },
            { label: "Neighbour", cell: ({ side }) => (side === "left" ? "to the left" : "to the right") },
            {
              label: "Its sum",
              align: "end",
              cell: ({ neighbour }) => <Money amount={neighbour} unit={unit} />,
            },
            {
              label: "Together",
              align: "end",
              cell: ({ together }) => <Money amount={together} unit={unit} />,
            },
            {
              label: "Hash of both",
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
  if (!verification.isValid)
    return (
      <Notice isAlert tone="bad" title="This proof does not hold">
        {verification.problem}. Keep it, and show it to the others who are owed.
      </Notice>
    );
  return (
    <Notice tone="good" title={`Counted: ${amountText(owed, unit)} ${unit} of yours are in the root`}>
      It is one of the leaves under the root that everybody is shown, which sum to{" "}
      {amountText(obligations, unit)} {unit}.
    </Notice>
  );
}

function HoldingsVerdict({ check: { holdings } }: { check: ProofCheck }) {
  if (holdings === null)
    return (
      <Notice tone="warn" title="The chain could not be asked about the holdings">
        Its node may not keep the state of that block any more. The holdings are the service's word only.
      </Notice>
    );
  if (!holdings.isSameBlock || holdings.differing.length > 0)
    return (
      <Notice isAlert tone="bad" title="The chain says otherwise about the holdings">
        {holdings.isSameBlock
          ? `These do not hold what the service says: ${holdings.differing.join(", ")}.`
          : "The block of the snapshot is not on the chain that this page asks."}
      </Notice>
    );
  return (
    <Notice tone="good" title="The chain says the same about the holdings">
      This page read every holder's balance at that block itself.
    </Notice>
  );
}

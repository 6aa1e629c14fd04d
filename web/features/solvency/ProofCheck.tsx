"use client";
import { useState } from "react";
import { useConnection } from "wagmi";
import { useConnectDialog } from "@/lib/connectDialog.tsx";
import type { SolvencyReport } from "@/lib/model.ts";
import { isSameAddress } from "@/lib/names.ts";
import { Address } from "@/ui/Address.tsx";
import { Button } from "@/ui/Button.tsx";
import { FailureNotice, Notice } from "@/ui/Notice.tsx";
import { Section } from "@/ui/Section.tsx";
import { Toggle } from "@/ui/Toggle.tsx";
import { ProofSteps } from "./ProofSteps.tsx";
import { useProofCheck } from "./useProofCheck.ts";
import { checkWords, isIdle } from "./words.ts";

/** "Is what I am owed counted?" – answered by this page's own arithmetic, not by the service's word. */
export function ProofCheck({ report: newest }: { report: SolvencyReport }) {
  const { address } = useConnection();
  const { open } = useConnectDialog();
  const lines = newest.items.filter((line) => !isIdle(line));
  const [unit, setUnit] = useState<string>("USDC");
  const { checking, run } = useProofCheck(newest);
  const line = lines.find((each) => each.unit === unit) ?? lines[0];
  if (!line) return null;
  return (
    <Section title={checkWords.title} note={checkWords.note}>
      <p className="max-w-3xl text-ink-2">{checkWords.meaning}</p>
      <div className="mt-4 flex flex-wrap items-center gap-3">
        {lines.length > 1 && (
          <Toggle
            label="Token"
            options={lines.map((each) => ({ value: each.unit, label: each.unit }))}
            value={line.unit}
            onChange={setUnit}
          />
        )}
        {address ? (
          <>
            <Button look="primary" isBusy={checking.at === "wallet"} onClick={() => void run(line)}>
              {checkWords.check}
            </Button>
            <span className="text-ink-3 text-sm">
              as <Address address={address} hasCopy={false} />
            </span>
          </>
        ) : (
          <Button look="primary" onClick={open}>
            {checkWords.connect}
          </Button>
        )}
      </div>
      <div className="mt-4">
        {checking.at === "wallet" && <p className="text-ink-2 text-sm">{checkWords.waiting}</p>}
        {checking.at === "failed" && <NoProof error={checking.error} />}
        {checking.at === "done" && isSameAddress(checking.check.proof.owner, address ?? "") && (
          <ProofSteps check={checking.check} />
        )}
      </div>
    </Section>
  );
}

function NoProof({ error }: { error: unknown }) {
  if ((error as { code?: string } | null)?.code === "OBLIGATION_UNKNOWN")
    return (
      <Notice isAlert tone="warn" title={checkWords.unknown.title}>
        {checkWords.unknown.text}
      </Notice>
    );
  return <FailureNotice error={error} />;
}

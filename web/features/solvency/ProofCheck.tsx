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
import { isIdle } from "./words.ts";

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
    <Section title="Is my balance counted?" note="verified in this page">
      <p className="max-w-3xl text-ink-2">
        The root above commits to every single obligation and to their sum. Your proof shows that what you are
        owed is in it. Your wallet signs the question, so that only you are told the amounts; this page then
        hashes the way to the root itself and asks the chain for the holdings.
      </p>
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
              Check my balance's proof
            </Button>
            <span className="text-ink-3 text-sm">
              as <Address address={address} hasCopy={false} />
            </span>
          </>
        ) : (
          <Button look="primary" onClick={open}>
            Connect a wallet to check yours
          </Button>
        )}
      </div>
      <div className="mt-4">
        {checking.at === "wallet" && (
          <p className="text-ink-2 text-sm">Waiting for your wallet to sign the question.</p>
        )}
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
      <Notice isAlert tone="warn" title="The service says that it owed you nothing at this block">
        If you are owed something by then, that is a liability hidden: keep your vouchers and receipts, they
        are claimable on the chain without the service, and show them to the others who are owed.
      </Notice>
    );
  return <FailureNotice error={error} />;
}

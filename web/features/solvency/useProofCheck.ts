"use client";
import { useState } from "react";
import { useConfig, useConnection, useSignTypedData } from "wagmi";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { useAnnounce } from "@/lib/announcer.tsx";
import type { SolvencyLine, SolvencyReport } from "@/lib/model.ts";
import { createService, useWebConfig } from "@/lib/session.tsx";
import { checkProof, type ProofCheck } from "./check.ts";
import { checkWords } from "./words.ts";

type Signer = Parameters<typeof signRequests>[0];

export type Checking =
  | { at: "idle" }
  /** The wallet is asked to sign the question, so that nobody else may see the answer. */
  | { at: "wallet" }
  | { at: "done"; check: ProofCheck }
  | { at: "failed"; error: unknown };

/** Fetches the connected account's proof and verifies it in this page. */
export function useProofCheck(report: SolvencyReport) {
  const wallets = useConfig();
  const config = useWebConfig();
  const { address } = useConnection();
  const sign = useSignTypedData();
  const announce = useAnnounce();
  const [checking, setChecking] = useState<Checking>({ at: "idle" });

  async function run(line: SolvencyLine): Promise<void> {
    if (!address) return;
    setChecking({ at: "wallet" });
    try {
      const signTypedData = sign.mutateAsync as unknown as Signer["signTypedData"];
      const authorize = signRequests({ address, signTypedData }, config.chainId);
      const service = createService(config, authorize);
      const proof = await service.solvency.proof({ unit: line.unit, snapshotId: report.snapshotId });
      const check = await checkProof(wallets, proof, report, line, address);
      setChecking({ at: "done", check });
      announce(checkWords.done(check.verification.isValid));
    } catch (error) {
      setChecking({ at: "failed", error });
      announce(checkWords.failed);
    }
  }

  return { checking, run };
}

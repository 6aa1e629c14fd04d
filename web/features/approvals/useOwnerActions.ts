"use client";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { useConfig, useConnection, useSignTypedData, useWriteContract } from "wagmi";
import { waitForTransactionReceipt } from "wagmi/actions";
import { treasuryAbi } from "#contracts";
import { contentOf, typedProposal } from "#offchain/sdk/treasury/proposal.ts";
import { useAnnounce } from "@/lib/announcer.tsx";
import type { Proposal } from "@/lib/model.ts";
import { treasuryQuery } from "@/lib/queries.ts";
import { useService, useWebConfig } from "@/lib/session.tsx";
import type { Progress } from "./rules.ts";
import { isAsShown, proposalHashes, quorumToSend } from "./treasury.ts";
import { progressWords, refusals } from "./words.ts";

/** The proposal that the service shows hashes to something else than its id: never to be signed. */
export class ProposalHashMismatch extends Error {
  override readonly name = "ProposalHashMismatch";
  constructor(got: string, wanted: string) {
    super(refusals.hashMismatch(got, wanted));
  }
}

/** The Treasury's address and chain, from the configuration or else the service. */
export function useTreasury(): { chainId: number; address: string } | null {
  const config = useWebConfig();
  const { data } = useQuery(treasuryQuery(useService()));
  const address = config.treasury ?? data?.address;
  return address ? { chainId: config.chainId, address } : null;
}

/** Progress of one action, announced as it moves. */
function useProgress(what: string) {
  const [progress, setProgress] = useState<Progress>({ at: "idle" });
  const announce = useAnnounce();
  const move = useCallback(
    (next: Progress) => {
      setProgress(next);
      announce(progressWords(next, what));
    },
    [announce, what],
  );
  return [progress, move] as const;
}

/** Signs a proposal (EIP-712) and hands the signature to the service. */
export function useSign() {
  const { address } = useConnection();
  const treasury = useTreasury();
  const service = useService();
  const queries = useQueryClient();
  const sign = useSignTypedData();
  const [progress, move] = useProgress("signature");

  async function run(proposal: Proposal): Promise<boolean> {
    try {
      if (!address || !treasury) throw new Error(refusals.noWallet);
      const typed = typedProposal(proposal, treasury);
      const { digest } = proposalHashes(typed);
      if (!isAsShown(proposal, treasury, digest)) throw new ProposalHashMismatch(digest, proposal.proposalId);
      move({ at: "wallet" });
      const signature = await sign.mutateAsync(typed);
      move({ at: "service" });
      const approved = await service.treasury.approve({ proposalId: digest, owner: address, signature });
      queries.setQueryData(["proposal", proposal.proposalId], approved);
      void queries.invalidateQueries({ queryKey: ["proposals"] });
      void queries.invalidateQueries({ queryKey: ["overview"] });
      move({ at: "done", hash: null });
      return true;
    } catch (error) {
      move({ at: "failed", error });
      return false;
    }
  }
  return { progress, run, reset: () => move({ at: "idle" }) };
}

/** Executes or cancels a proposal: by the connected owner's own transaction, or through the service's relay. */
export function useTransaction(what: "execution" | "rejection") {
  const config = useConfig();
  const { address } = useConnection();
  const treasury = useTreasury();
  const service = useService();
  const queries = useQueryClient();
  const write = useWriteContract();
  const [progress, move] = useProgress(what);

  const refresh = () => {
    for (const key of ["proposal", "proposals", "overview", "wallets", "treasury", "simulation"])
      void queries.invalidateQueries({ queryKey: [key] });
  };

  async function follow(send: () => Promise<`0x${string}`>): Promise<void> {
    try {
      move({ at: "wallet" });
      const hash = await send();
      move({ at: "submitted", hash });
      const receipt = await waitForTransactionReceipt(config, { hash, timeout: 120_000 });
      if (receipt.status !== "success") throw new Error(refusals.reverted(hash));
      move({ at: "done", hash });
    } catch (error) {
      move({ at: "failed", error });
    } finally {
      refresh();
    }
  }

  const contract = () => {
    if (!treasury) throw new Error(refusals.noTreasury);
    return {
      address: treasury.address as `0x${string}`,
      abi: treasuryAbi,
      chainId: treasury.chainId,
    } as const;
  };

  const execute = (proposal: Proposal, withOwnConsent: boolean) =>
    follow(() => {
      const { calls, nonce, deadline } = contentOf(proposal);
      const signatures = quorumToSend(proposal, withOwnConsent ? address : undefined);
      return write.mutateAsync({
        ...contract(),
        functionName: "execute",
        args: [calls, nonce, deadline, signatures],
      });
    });

  const cancel = (proposal: Proposal) =>
    follow(() =>
      write.mutateAsync({ ...contract(), functionName: "cancelProposal", args: [BigInt(proposal.nonce)] }),
    );

  async function relay(proposal: Proposal): Promise<void> {
    try {
      move({ at: "service" });
      const executed = await service.treasury.execute({ proposalId: proposal.proposalId });
      move({ at: "done", hash: executed.transactionHash });
    } catch (error) {
      move({ at: "failed", error });
    } finally {
      refresh();
    }
  }

  return { progress, execute, cancel, relay, reset: () => move({ at: "idle" }) };
}

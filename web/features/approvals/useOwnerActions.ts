"use client";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { useConfig, useConnection, useSignTypedData, useWriteContract } from "wagmi";
import { waitForTransactionReceipt } from "wagmi/actions";
import { treasuryAbi } from "#contracts";
import { contentOf, typedProposal } from "#offchain/sdk/treasury/proposal.ts";
import { useAnnounce } from "@/lib/announcer.tsx";
import type { Proposal } from "@/lib/model.ts";
import { useService } from "@/lib/session.tsx";
import { useRejectionCheck } from "./reading/useOpened.ts";
import { useCheck } from "./reading/useReading.ts";
import { useTreasury } from "./reading/useTreasury.ts";
import type { Progress } from "./rules.ts";
import { signEach } from "./signing/signEach.ts";
import { useRehearsal } from "./signing/useRehearsal.ts";
import { progressWords, refusals } from "./signing/words.ts";
import { quorumToSend } from "./treasury.ts";

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
  const settle = () => setProgress((now) => (now.at === "stopped" ? { at: "idle" } : now));
  /** What closing its dialog does; true if the dialog has to say first that the wallet still asks. */
  const leave = (): boolean => {
    if (progress.at === "wallet") move({ at: "stopped" });
    // What was sent goes its way, and is told when it is done.
    else if (progress.at !== "submitted") setProgress({ at: "idle" });
    return progress.at === "wallet";
  };
  return { progress, move, settle, leave };
}

/** Signs proposals (EIP-712), one after the other, and hands the signatures to the service. */
export function useSign() {
  const { address } = useConnection();
  const treasury = useTreasury();
  const service = useService();
  const queries = useQueryClient();
  const sign = useSignTypedData();
  const check = useCheck();
  const { progress, move, settle, leave } = useProgress("signature");

  /** Counts beginnings and stops: a run whose number has passed is over. */
  const turn = useRef(0);
  useEffect(
    () => () => {
      turn.current += 1;
    },
    [],
  );

  async function ask(proposal: Proposal): Promise<`0x${string}`> {
    if (!address || !treasury) throw new Error(refusals.noWallet);
    await check(proposal);
    return sign.mutateAsync(typedProposal(proposal, treasury));
  }

  async function send({ proposalId }: Proposal, signature: `0x${string}`): Promise<void> {
    if (!address) throw new Error(refusals.noWallet);
    const approved = await service.treasury.approve({ proposalId, owner: address, signature });
    queries.setQueryData(["proposal", proposalId], approved);
    void queries.invalidateQueries({ queryKey: ["proposals"] });
    void queries.invalidateQueries({ queryKey: ["overview"] });
  }

  async function run(
    proposals: readonly Proposal[],
    onSigned: (proposal: Proposal) => void = () => {},
  ): Promise<void> {
    turn.current += 1;
    const mine = turn.current;
    await signEach(proposals, { ask, send, isStopped: () => turn.current !== mine, move, onSigned });
    // The wallet has answered, and nothing came of it.
    settle();
    // One that nobody answered for may have arrived all the same.
    void queries.invalidateQueries({ queryKey: ["proposal"] });
  }

  /** Ends signing; true while the wallet still asks, which no page can take back. */
  function stop(): boolean {
    turn.current += 1;
    return leave();
  }
  return { progress, run, stop };
}

function refresh(queries: QueryClient): void {
  for (const key of ["proposal", "proposals", "overview", "wallets", "treasury", "simulation"])
    void queries.invalidateQueries({ queryKey: [key] });
}

/** Where transactions of owners go. */
function contractOf(treasury: ReturnType<typeof useTreasury>) {
  if (!treasury) throw new Error(refusals.noTreasury);
  return { address: treasury.address as `0x${string}`, abi: treasuryAbi, chainId: treasury.chainId } as const;
}

/** Executes or cancels a proposal: by the connected owner's own transaction, or through the service's relay. */
export function useTransaction(what: "execution" | "rejection") {
  const config = useConfig();
  const { address } = useConnection();
  const treasury = useTreasury();
  const service = useService();
  const queries = useQueryClient();
  const write = useWriteContract();
  const check = useCheck();
  const checkRejection = useRejectionCheck();
  const rehearse = useRehearsal();
  const { progress, move, leave } = useProgress(what);

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
      refresh(queries);
    }
  }

  const execute = (proposal: Proposal, withOwnConsent: boolean) =>
    follow(async () => {
      await check(proposal);
      await rehearse(proposal);
      const { calls, nonce, deadline } = contentOf(proposal);
      const signatures = quorumToSend(proposal, withOwnConsent ? address : undefined);
      return write.mutateAsync({
        ...contractOf(treasury),
        functionName: "execute",
        args: [calls, nonce, deadline, signatures],
      });
    });

  const cancel = (proposal: Proposal) =>
    follow(async () => {
      await checkRejection(proposal);
      return write.mutateAsync({
        ...contractOf(treasury),
        functionName: "cancelProposal",
        args: [BigInt(proposal.nonce)],
      });
    });

  async function relay(proposal: Proposal): Promise<void> {
    try {
      move({ at: "service" });
      await check(proposal);
      await rehearse(proposal);
      const executed = await service.treasury.execute({ proposalId: proposal.proposalId });
      move({ at: "done", hash: executed.transactionHash });
    } catch (error) {
      move({ at: "failed", error });
    } finally {
      refresh(queries);
    }
  }

  // What is done stays readable.
  return { progress, execute, cancel, relay, leave: () => progress.at !== "done" && leave() };
}

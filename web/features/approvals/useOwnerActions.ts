"use client";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect } from "react";
import { useConnection, useSignTypedData, useWriteContract } from "wagmi";
import { treasuryAbi } from "#contracts";
import { contentOf, typedProposal } from "#offchain/sdk/treasury/proposal.ts";
import type { Proposal } from "@/lib/model.ts";
import { useService } from "@/lib/session.tsx";
import { useCheck } from "./reading/useComparison.ts";
import { useRejectionCheck } from "./reading/useOpened.ts";
import { useTreasury } from "./reading/useTreasury.ts";
import type { News } from "./signing/following.ts";
import type { Progress, Stop } from "./signing/progress.ts";
import { signEach } from "./signing/signEach.ts";
import { useFollowing } from "./signing/useFollowing.ts";
import { useAnswer, useHalt, useLatestRun, useProgress } from "./signing/useProgress.ts";
import { useRehearsal } from "./signing/useRehearsal.ts";
import { refusals } from "./signing/words.ts";
import { quorumToSend } from "./treasury.ts";

/** What was sent and is in no block yet, by action and proposal: known also when the page is left and opened again. */
const underWay = new Map<string, `0x${string}`>();

/** It is in a block, and has changed nothing. */
class TransactionReverted extends Error {
  override readonly name = "TransactionReverted";
  constructor(hash: string) {
    super(refusals.reverted(hash));
  }
}

/** Another transaction of the same account has taken the place of the one that was sent. */
class TransactionReplaced extends Error {
  override readonly name = "TransactionReplaced";
  constructor(hash: string) {
    super(refusals.replaced(hash));
  }
}

/** Signs proposals (EIP-712), one after the other, and hands the signatures to the service. */
export function useSign() {
  const { address } = useConnection();
  const treasury = useTreasury();
  const service = useService();
  const queries = useQueryClient();
  const sign = useSignTypedData();
  const check = useCheck();
  const { progress, current, move, leave } = useProgress("signature");
  const runs = useLatestRun();

  async function ask(proposal: Proposal): Promise<`0x${string}`> {
    if (!address || !treasury) throw new Error(refusals.noWallet);
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
    const isStopped = runs.begin();
    await signEach(proposals, { check, ask, send, isStopped, move, onSigned });
    // The wallet has answered, and nothing came of it.
    if (current().at === "stopped") move({ at: "idle" });
    // One that nobody answered for may have arrived all the same.
    void queries.invalidateQueries({ queryKey: ["proposal"] });
  }

  /** Ends signing; true while the wallet still asks, which no page can take back. */
  function stop(): boolean {
    runs.end();
    return leave();
  }

  /** Ends it because nobody can sign any more, and says why; a signature that is on its way goes on. */
  function halt(why: Stop): void {
    const { at } = current();
    if (at !== "idle" && at !== "checking" && at !== "wallet") return;
    runs.end();
    move({ at: "stopped", why, isAsked: at === "wallet" });
  }
  return { progress, run, stop, halt, move };
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

/** Progress of a transaction; what is under way is kept beyond the page. */
function useKept(what: "execution" | "rejection", proposalId: string) {
  const { progress, current, move: step, leave } = useProgress(what);
  const key = `${what} ${proposalId}`;
  const move = useCallback(
    (next: Progress) => {
      if (next.at === "submitted") underWay.set(key, next.hash);
      else underWay.delete(key);
      step(next);
    },
    [key, step],
  );
  const kept = {
    get: () => underWay.get(key),
    set: (hash: `0x${string}`) => underWay.set(key, hash),
  };
  return { progress, current, move, leave, kept };
}

/** What carries a transaction from its checks to a block, and watches that it stays there. */
function useCarrying(what: "execution" | "rejection", proposalId: string) {
  const queries = useQueryClient();
  const followed = useFollowing();
  const runs = useLatestRun();
  const { progress, current, move, leave, kept } = useKept(what, proposalId);
  const fail = (error: unknown) => move({ at: "failed", error, since: Date.now() });

  function watch(hash: `0x${string}`, isInBlock: boolean): void {
    move(isInBlock ? { at: "done", hash } : { at: "submitted", hash });
    const tell = (news: News) => {
      if (news === "block") move({ at: "done", hash });
      else if (news === "gone") move({ at: "undone", hash, isStale: true });
      else fail(news === "reverted" ? new TransactionReverted(hash) : new TransactionReplaced(hash));
      refresh(queries);
    };
    void followed(hash, { isInBlock, tell, isOver: runs.begin() });
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: taken up once, when the page is opened
  useEffect(() => {
    const hash = kept.get();
    if (hash) watch(hash, false);
  }, []);

  /** `act` gives the hash of what it has sent; null where nothing is known of one. */
  async function carry(
    check: () => Promise<void>,
    via: "wallet" | "service",
    act: () => Promise<`0x${string}` | null>,
  ): Promise<void> {
    const isOver = runs.begin();
    try {
      move({ at: "checking" });
      await check();
      if (isOver()) return;
      move({ at: via });
      const hash = await act();
      // Sent is sent: whatever has been begun meanwhile.
      if (runs.isClosed()) {
        if (hash && via === "wallet") kept.set(hash);
      } else if (hash) watch(hash, via === "service");
      else move({ at: "done", hash });
    } catch (error) {
      if (isOver()) return;
      // What was stopped, the wallet has declined.
      if (current().at === "stopped") move({ at: "idle" });
      else fail(error);
    } finally {
      refresh(queries);
    }
  }

  /** Ends it because it cannot be done any more, and says why; what was sent goes its way. */
  function halt(why: Stop): void {
    const { at } = current();
    if (at !== "checking" && at !== "wallet") return;
    if (at === "checking") runs.end();
    move({ at: "stopped", why, isAsked: at === "wallet" });
  }

  function stop(): boolean {
    if (current().at === "done" || current().at === "undone") return false;
    if (current().at === "checking") runs.end();
    return leave();
  }
  return { progress, carry, halt, leave: stop, move };
}

/** Executes or cancels a proposal: by the connected owner's own transaction, or through the service's relay. */
export function useTransaction(what: "execution" | "rejection", proposal: Proposal) {
  const { address } = useConnection();
  const treasury = useTreasury();
  const service = useService();
  const write = useWriteContract();
  const check = useCheck();
  const checkRejection = useRejectionCheck();
  const rehearse = useRehearsal();
  const { progress, carry, halt, leave, move } = useCarrying(what, proposal.proposalId);
  useAnswer(progress, { what, proposal, move });
  useHalt(progress, { proposal, halt, what });

  async function checkExecution(): Promise<void> {
    await check(proposal);
    await rehearse(proposal);
  }

  const execute = (withOwnConsent: boolean) =>
    carry(checkExecution, "wallet", () => {
      const { calls, nonce, deadline } = contentOf(proposal);
      const signatures = quorumToSend(proposal, withOwnConsent ? address : undefined);
      return write.mutateAsync({
        ...contractOf(treasury),
        functionName: "execute",
        args: [calls, nonce, deadline, signatures],
      });
    });

  const cancel = () =>
    carry(
      () => checkRejection(proposal),
      "wallet",
      () =>
        write.mutateAsync({
          ...contractOf(treasury),
          functionName: "cancelProposal",
          args: [BigInt(proposal.nonce)],
        }),
    );

  const relay = () =>
    carry(checkExecution, "service", async () => {
      const executed = await service.treasury.execute({ proposalId: proposal.proposalId });
      return executed.transactionHash as `0x${string}` | null;
    });

  return { progress, execute, cancel, relay, leave };
}

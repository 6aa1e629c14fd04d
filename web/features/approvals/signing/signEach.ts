import type { Proposal } from "@/lib/model.ts";
import type { Progress } from "./progress.ts";

/** What signing takes. */
interface Steps {
  /** What the page itself looks at first; it rejects where nothing may be signed. */
  check: (proposal: Proposal) => Promise<void>;
  /** Has the wallet sign. */
  ask: (proposal: Proposal) => Promise<`0x${string}`>;
  /** Hands the signature to the service. */
  send: (proposal: Proposal, signature: `0x${string}`) => Promise<void>;
  /** Whoever signs has closed the dialog. */
  isStopped: () => boolean;
  move: (progress: Progress) => void;
  onSigned: (proposal: Proposal) => void;
}

/**
 * Signs one after the other; one refusal stops the rest. Once it is stopped, no further request is made, and what the
 * wallet signs all the same is thrown away: a signature that the service has cannot be taken back.
 */
export async function signEach(
  proposals: readonly Proposal[],
  { check, ask, send, isStopped, move, onSigned }: Steps,
): Promise<void> {
  for (const proposal of proposals) {
    if (isStopped()) return;
    try {
      move({ at: "checking" });
      await check(proposal);
      if (isStopped()) return;
      move({ at: "wallet" });
      const signature = await ask(proposal);
      if (isStopped()) return;
      move({ at: "service" });
      await send(proposal, signature);
    } catch (error) {
      if (!isStopped()) move({ at: "failed", error, since: Date.now() });
      return;
    }
    onSigned(proposal);
    if (!isStopped()) move({ at: "done", hash: null });
  }
}

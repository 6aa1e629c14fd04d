import { setTimeout as pause } from "node:timers/promises";
import type { Agent } from "#offchain/sdk/agent.ts";

export interface WatchOptions {
  agents: readonly Pick<Agent, "address" | "solvency">[];
  /** Time between two checks; the agents take turns. */
  everyMs: number;
  signal: AbortSignal;
  /** Told of each check that found something, or could not be made. */
  onProblem(finding: { agent: string; problems: readonly string[] }): void;
}

/** Has the agents check in turn that they are counted: a liability that is hidden shows only to whom it is owed. */
export async function watchSolvency({ agents, everyMs, signal, onProblem }: WatchOptions): Promise<void> {
  for (let turn = 0; agents.length > 0; turn += 1) {
    await pause(everyMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const agent = agents[turn % agents.length];
    if (!agent) return;
    const problems = await agent.solvency().then(
      (check) => check.problems,
      (error: unknown) => [error instanceof Error ? error.message : String(error)],
    );
    if (problems.length > 0 && !signal.aborted) onProblem({ agent: agent.address, problems });
  }
}

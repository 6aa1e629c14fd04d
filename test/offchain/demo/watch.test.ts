import { expect, test } from "vitest";
import { watchSolvency } from "#offchain/demo/watch.ts";
import type { SolvencyProblem } from "#offchain/sdk/agent/solvencyCheck.ts";

const address = (index: number) => `0x${String(index).padStart(40, "0")}` as const;

test("agents check in turn, and what one finds or cannot do is told; the others go on", async () => {
  const stopping = new AbortController();
  const asked: string[] = [];
  const findings: { agent: string; problems: readonly string[] }[] = [];
  const agent = (index: number, check: () => Promise<{ problems: SolvencyProblem[] }>) => ({
    address: address(index),
    solvency: () => {
      asked.push(address(index));
      if (asked.length === 5) stopping.abort();
      return check() as never;
    },
  });
  const agents = [
    agent(0, async () => ({ problems: [] })),
    agent(1, async () => ({ problems: ["missing", "short"] })),
    agent(2, () => Promise.reject(new Error("the service does not answer"))),
  ];
  await watchSolvency({
    agents,
    everyMs: 1,
    signal: stopping.signal,
    onProblem: (finding) => findings.push(finding),
  });
  expect(asked).toEqual([0, 1, 2, 0, 1].map(address));
  expect(findings).toEqual([
    { agent: address(1), problems: ["missing", "short"] },
    { agent: address(2), problems: ["the service does not answer"] },
  ]);
});

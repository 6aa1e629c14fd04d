import { expect, test } from "vitest";
import { Proposals } from "#offchain/features/treasury/proposals/proposals.ts";
import { bytesOf } from "#offchain/platform/database/bytes.ts";
import { owners } from "../../support/proposal.ts";

const proposalId = `0x${"11".repeat(32)}` as const;
const chainId = 31337;
const [earlier, now] = [1n, 2n];

/** A row as the store reads it, of a proposal that was opened in the chain's earlier run. */
const rowIn = (state: "lost" | "executed") => ({
  id: 1n,
  run_id: earlier,
  treasury: bytesOf(owners[0]),
  proposal_id: bytesOf(proposalId),
  proposer: bytesOf(owners[1]),
  nonce: 1n,
  deadline_s: 2_000_000_000n,
  reference: bytesOf(proposalId),
  calls: [],
  state,
  is_unfollowed: true,
  opened_at: 1n,
  closed_at: null,
  closed_transaction: null,
});

/** A database that has this one row: whoever asks for the run of now gets none. */
const having = (row: object) => (text: TemplateStringsArray, values: readonly unknown[]) =>
  /proposal_id = $/m.test(text.find((part) => part.includes("proposal_id =")) ?? "") && !values.includes(now)
    ? [row]
    : [];

function open(state: "lost" | "executed"): Proposals {
  const rows = having(rowIn(state));
  return new Proposals({
    sql: (text: TemplateStringsArray, ...values: unknown[]) => Promise.resolve(rows(text, values)),
    clock: { now: () => 1_000 },
    view: { status: () => ({ runId: now, head: 1n, indexedTo: 1n }) },
    chainId,
    membershipOf: async () => ({ owners, threshold: 2 }),
    treasuries: async () => [],
    named: (tell: (names: () => object) => unknown) => tell(() => ({ own: null, chosen: null })),
    runId: () => now,
  } as unknown as ConstructorParameters<typeof Proposals>[0]);
}

test("a proposal of an earlier run is shown as what it is, and nothing can be done with it any more", async () => {
  const lost = open("lost");
  expect(await lost.find(proposalId)).toMatchObject({ proposalId, state: "lost", unfollowed: true });
  expect(await lost.simulate(proposalId)).toBeNull();
  const refused = {
    code: "PROPOSAL_CLOSED",
    message: "the proposal was opened before the chain was restarted, and is not followed any more",
    facts: { state: "lost" },
  };
  await expect(lost.approve(proposalId, owners[0], "0xab")).rejects.toMatchObject(refused);
  await expect(lost.execute(proposalId)).rejects.toMatchObject(refused);
});

test("that it was executed in the earlier run does not make an execution of now", async () => {
  const executed = open("executed");
  expect(await executed.find(proposalId)).toMatchObject({ state: "executed" });
  await expect(executed.execute(proposalId)).rejects.toMatchObject({ code: "PROPOSAL_CLOSED" });
});

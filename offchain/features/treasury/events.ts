import { treasuryAbi } from "#contracts";
import { type EventSource, type Handler, on } from "#offchain/platform/chain/event.ts";
import { saveBudgetHolder } from "./store/budgets.ts";
import {
  closeProposals,
  deleteApproval,
  deleteProposal,
  saveApproval,
  saveProposal,
} from "./store/proposals.ts";

/** What Treasuries' events do to the read model of proposals and budgets. */
export function treasuryHandlers(addresses: readonly `0x${string}`[]): Handler[] {
  const source: EventSource<typeof treasuryAbi> = {
    name: "Treasury",
    abi: treasuryAbi,
    addresses,
  };
  return [
    on(source, "ProposalOpened", {
      apply: (tx, { args, runId, blockAt, address }) =>
        saveProposal(tx, {
          runId,
          treasury: address,
          proposalId: args.id,
          proposer: args.proposer,
          nonce: args.nonce,
          deadlineS: args.deadline,
          reference: args.ref,
          calls: args.calls.map(({ to, value, data }) => ({ to, value, data })),
          openedAt: blockAt,
        }),
      retract: (tx, { args, runId }) => deleteProposal(tx, runId, args.id),
    }),
    on(source, "ProposalApproved", {
      async apply(tx, { args, runId, blockAt }) {
        await saveApproval(tx, {
          runId,
          proposalId: args.id,
          owner: args.owner,
          at: blockAt,
        });
      },
      retract: (tx, { args, runId }) => deleteApproval(tx, runId, args.id, args.owner),
    }),
    on(source, "ProposalExecuted", {
      apply: (tx, { args, runId, blockAt, transactionHash }) =>
        closeProposals(
          tx,
          runId,
          { proposalId: args.id },
          { state: "executed", at: blockAt, transaction: transactionHash },
        ),
      retract: (tx, { args, runId }) => closeProposals(tx, runId, { proposalId: args.id }, null),
    }),
    on(source, "ProposalCancelled", {
      apply: (tx, { args, runId, blockAt, transactionHash, address }) =>
        closeProposals(
          tx,
          runId,
          { treasury: address, nonce: args.nonce },
          { state: "cancelled", at: blockAt, transaction: transactionHash },
        ),
      retract: (tx, { args, runId, address }) =>
        closeProposals(tx, runId, { treasury: address, nonce: args.nonce }, null),
    }),
    on(source, "BudgetSet", {
      apply: (tx, { args, runId, address }) => saveBudgetHolder(tx, runId, address, args.spender, args.token),
      // Reading a budget that is no more finds that there is none.
      async retract() {},
    }),
  ];
}

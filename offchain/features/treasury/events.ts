import { treasuryAbi } from "#contracts";
import { momentOf } from "#offchain/core/clock.ts";
import {
  type ChainEvent,
  type EventArgs,
  type EventSource,
  type Handler,
  on,
} from "#offchain/platform/chain/event.ts";
import { paymentIn, type TreasuryCall } from "./contract.ts";
import { deleteApproval, saveApproval } from "./store/approvals.ts";
import { deleteBudgetHolder, saveBudgetHolder } from "./store/budgets.ts";
import { deleteDelayChange, deleteQueued, saveDelayChange, saveQueued } from "./store/delays.ts";
import { deleteCall, deletePayment, saveCall, savePayment } from "./store/payments.ts";
import { closeNonce, reopenNonce, saveProposal, takeProposalBack } from "./store/proposals.ts";

type Source = EventSource<typeof treasuryAbi>;

/**
 * What Treasuries' events do to the read model of proposals, payments and budgets.
 * @param fromBlock none of their events is older
 */
export function treasuryHandlers(addresses: readonly `0x${string}`[], fromBlock = 0): Handler[] {
  const source: Source = { name: "Treasury", abi: treasuryAbi, addresses, fromBlock };
  return [...proposalHandlers(source), ...spendingHandlers(source)];
}

function proposalHandlers(source: Source): Handler[] {
  return [
    on(source, "ProposalOpened", {
      apply: (tx, { args, runId, blockAt, address, transactionHash }) =>
        saveProposal(tx, {
          runId,
          treasury: address,
          proposalId: args.id,
          proposer: args.proposer,
          nonce: args.nonce,
          deadlineS: args.deadline,
          threshold: Number(args.threshold),
          reference: args.ref,
          calls: args.calls.map(({ to, value, data }) => ({ to, value, data })),
          openedAt: blockAt,
          openedBy: transactionHash,
          paymentToken: tokenIn(args.calls, address),
        }),
      retract: (tx, { args, runId, transactionHash }) =>
        takeProposalBack(tx, runId, args.id, transactionHash),
    }),
    on(source, "ProposalApproved", {
      apply: (tx, event) =>
        saveApproval(
          tx,
          { ...told(event), proposalId: event.args.id, owner: event.args.owner },
          event.blockAt,
        ),
      retract: (tx, event) =>
        deleteApproval(tx, { ...told(event), proposalId: event.args.id, owner: event.args.owner }),
    }),
    on(source, "ProposalExecuted", {
      apply: (tx, event) => {
        const { id, nonce } = event.args;
        return closeNonce(tx, { ...told(event), nonce }, { executed: id, at: event.blockAt });
      },
      retract: (tx, event) => reopenNonce(tx, { ...told(event), nonce: event.args.nonce }),
    }),
    on(source, "ProposalCancelled", {
      apply: (tx, event) => {
        const { nonce } = event.args;
        return closeNonce(tx, { ...told(event), nonce }, { executed: null, at: event.blockAt });
      },
      retract: (tx, event) => reopenNonce(tx, { ...told(event), nonce: event.args.nonce }),
    }),
    on(source, "PaymentQueued", {
      apply: (tx, event) =>
        saveQueued(tx, { ...told(event), proposalId: event.args.id, readyAt: momentOf(event.args.readyAt) }),
      retract: (tx, event) => deleteQueued(tx, { ...told(event), proposalId: event.args.id }),
    }),
  ];
}

function spendingHandlers(source: Source): Handler[] {
  return [
    on(source, "Paid", {
      apply: (tx, event) => savePayment(tx, paymentOf(event)),
      retract: (tx, event) => deletePayment(tx, paymentOf(event)),
    }),
    on(source, "CalledWithin", {
      apply: (tx, event) => saveCall(tx, callOf(event)),
      retract: (tx, event) => deleteCall(tx, callOf(event)),
    }),
    on(source, "DelaySet", {
      apply: (tx, event) =>
        saveDelayChange(tx, { ...told(event), ...event.args }, endOfQueue(event, event.args.delay)),
      retract: (tx, event) => deleteDelayChange(tx, { ...told(event), ...event.args }),
    }),
    on(source, "BudgetSet", {
      async apply(tx, event) {
        await saveBudgetHolder(tx, { ...told(event), ...event.args });
        await saveDelayChange(tx, { ...told(event), ...event.args }, endOfQueue(event, 0n));
      },
      async retract(tx, event) {
        await deleteBudgetHolder(tx, { ...told(event), ...event.args });
        await deleteDelayChange(tx, { ...told(event), ...event.args });
      },
    }),
  ];
}

const paymentOf = (event: ChainEvent<EventArgs<typeof treasuryAbi, "Paid">>) => {
  const { spender, token, to, amount, ref } = event.args;
  return { ...told(event), spender, reference: ref, token, to, amount };
};

/**
 * Before when a payment must have been queued to wait under this delay no more: what was queued in the very second counts
 * under a delay that is set, and not where there is none.
 */
const endOfQueue = ({ blockAt }: ChainEvent, delay: bigint): number => (delay === 0n ? blockAt + 1 : blockAt);

/** What a spender's payment is of; null for any other proposal. */
function tokenIn(calls: readonly TreasuryCall[], treasury: `0x${string}`): string | null {
  const [call] = calls;
  return call && calls.length === 1 ? (paymentIn(call, treasury)?.token ?? null) : null;
}

const callOf = (event: ChainEvent<EventArgs<typeof treasuryAbi, "CalledWithin">>) => ({
  ...told(event),
  spender: event.args.spender,
  reference: event.args.ref,
});

/** By whom a fact was told: two Treasuries can tell of the same proposal, but only one's word counts for it. */
const told = ({ runId, address, transactionHash }: ChainEvent) => ({
  runId,
  treasury: address,
  transaction: transactionHash,
});

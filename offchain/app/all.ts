import { listAgents } from "#offchain/features/agents/actions/list.ts";
import { registerAgent } from "#offchain/features/agents/actions/register.ts";
import { showAgent } from "#offchain/features/agents/actions/show.ts";
import { estimate } from "#offchain/features/carbon/actions/estimate.ts";
import { summarise } from "#offchain/features/carbon/actions/summary.ts";
import { showClearing } from "#offchain/features/clearing/actions/show.ts";
import { showStanding } from "#offchain/features/clearing/actions/standing.ts";
import { allocate } from "#offchain/features/energy/actions/allocate.ts";
import { charge } from "#offchain/features/energy/actions/charge.ts";
import { complete } from "#offchain/features/energy/actions/complete.ts";
import { fail } from "#offchain/features/energy/actions/fail.ts";
import { issueAdp } from "#offchain/features/energy/actions/issue.ts";
import { listPools } from "#offchain/features/energy/actions/pool.ts";
import { registerSource } from "#offchain/features/energy/actions/source.ts";
import { showTicket } from "#offchain/features/energy/actions/ticket.ts";
import { listEvents } from "#offchain/features/events/actions/list.ts";
import {
  balance,
  balanceShort,
  issue,
  openAccount,
  suspend,
} from "#offchain/features/ledger/actions/accounts.ts";
import { calculateFee, listFees, setFees } from "#offchain/features/ledger/actions/fees.ts";
import {
  hold,
  listPending,
  post,
  reverse,
  showTransfer,
  voidHold,
} from "#offchain/features/ledger/actions/hold.ts";
import { canSpend, setLimits, showLimits } from "#offchain/features/ledger/actions/limits.ts";
import { addSchedule, cancelSchedule, listSchedules } from "#offchain/features/ledger/actions/schedules.ts";
import { exportStatement, listTransactions } from "#offchain/features/ledger/actions/statement.ts";
import { transfer, transferShort, transferToSystem } from "#offchain/features/ledger/actions/transfer.ts";
import { listWallets } from "#offchain/features/overview/actions/listWallets.ts";
import { showOverview } from "#offchain/features/overview/actions/show.ts";
import { flush } from "#offchain/features/payments/actions/flush.ts";
import { listBatches } from "#offchain/features/payments/actions/listBatches.ts";
import { listChannels } from "#offchain/features/payments/actions/listChannels.ts";
import { listPayments } from "#offchain/features/payments/actions/listPayments.ts";
import { openChannel } from "#offchain/features/payments/actions/openChannel.ts";
import { pay } from "#offchain/features/payments/actions/pay.ts";
import { payBatch } from "#offchain/features/payments/actions/payBatch.ts";
import { showBatch } from "#offchain/features/payments/actions/showBatch.ts";
import { showChannel } from "#offchain/features/payments/actions/showChannel.ts";
import { showReceipt } from "#offchain/features/payments/actions/showReceipt.ts";
import { proveObligation } from "#offchain/features/solvency/actions/proof.ts";
import { reconcile } from "#offchain/features/solvency/actions/reconcile.ts";
import { listSnapshots, reportSolvency, takeSnapshot } from "#offchain/features/solvency/actions/report.ts";
import { approve } from "#offchain/features/treasury/actions/approve.ts";
import { listBudgets } from "#offchain/features/treasury/actions/budgets.ts";
import { execute } from "#offchain/features/treasury/actions/execute.ts";
import { showProposal, simulateProposal } from "#offchain/features/treasury/actions/proposal.ts";
import { listProposals } from "#offchain/features/treasury/actions/proposals.ts";
import { showTreasury } from "#offchain/features/treasury/actions/show.ts";
import { spend } from "#offchain/features/treasury/actions/spend.ts";
import { prices, settle, supported, verify } from "#offchain/features/x402/actions/facilitator.ts";

/** Every verb of Bursar by name: what the doors and the SDK are derived from. */
export const actions = {
  [listAgents.name]: listAgents,
  [registerAgent.name]: registerAgent,
  [showAgent.name]: showAgent,
  [estimate.name]: estimate,
  [summarise.name]: summarise,
  [allocate.name]: allocate,
  [charge.name]: charge,
  [complete.name]: complete,
  [fail.name]: fail,
  [issueAdp.name]: issueAdp,
  [listPools.name]: listPools,
  [registerSource.name]: registerSource,
  [showTicket.name]: showTicket,
  [listEvents.name]: listEvents,
  [reconcile.name]: reconcile,
  [openAccount.name]: openAccount,
  [balance.name]: balance,
  [balanceShort.name]: balanceShort,
  [transfer.name]: transfer,
  [transferShort.name]: transferShort,
  [transferToSystem.name]: transferToSystem,
  [hold.name]: hold,
  [post.name]: post,
  [voidHold.name]: voidHold,
  [reverse.name]: reverse,
  [showTransfer.name]: showTransfer,
  [listPending.name]: listPending,
  [listTransactions.name]: listTransactions,
  [exportStatement.name]: exportStatement,
  [listFees.name]: listFees,
  [setFees.name]: setFees,
  [calculateFee.name]: calculateFee,
  [showLimits.name]: showLimits,
  [setLimits.name]: setLimits,
  [canSpend.name]: canSpend,
  [suspend.name]: suspend,
  [issue.name]: issue,
  [addSchedule.name]: addSchedule,
  [listSchedules.name]: listSchedules,
  [cancelSchedule.name]: cancelSchedule,
  [flush.name]: flush,
  [listBatches.name]: listBatches,
  [showBatch.name]: showBatch,
  [showClearing.name]: showClearing,
  [showStanding.name]: showStanding,
  [listChannels.name]: listChannels,
  [openChannel.name]: openChannel,
  [showChannel.name]: showChannel,
  [listPayments.name]: listPayments,
  [pay.name]: pay,
  [payBatch.name]: payBatch,
  [showReceipt.name]: showReceipt,
  [showOverview.name]: showOverview,
  [reportSolvency.name]: reportSolvency,
  [listSnapshots.name]: listSnapshots,
  [takeSnapshot.name]: takeSnapshot,
  [proveObligation.name]: proveObligation,
  [approve.name]: approve,
  [listBudgets.name]: listBudgets,
  [execute.name]: execute,
  [showProposal.name]: showProposal,
  [simulateProposal.name]: simulateProposal,
  [listProposals.name]: listProposals,
  [showTreasury.name]: showTreasury,
  [spend.name]: spend,
  [listWallets.name]: listWallets,
  [prices.name]: prices,
  [supported.name]: supported,
  [verify.name]: verify,
  [settle.name]: settle,
};

export type Actions = typeof actions;

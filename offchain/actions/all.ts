import { listAgents } from "./agents/list.ts";
import { registerAgent } from "./agents/register.ts";
import { showAgent } from "./agents/show.ts";
import { estimate } from "./carbon/estimate.ts";
import { summarise } from "./carbon/summary.ts";
import { showClearing } from "./clearing/show.ts";
import { showStanding } from "./clearing/standing.ts";
import { allocate } from "./energy/allocate.ts";
import { charge } from "./energy/charge.ts";
import { complete } from "./energy/complete.ts";
import { fail } from "./energy/fail.ts";
import { issueAdp } from "./energy/issue.ts";
import { listPools } from "./energy/pool.ts";
import { registerSource } from "./energy/source.ts";
import { showTicket } from "./energy/ticket.ts";
import { listEvents } from "./events/list.ts";
import { balance, balanceShort, issue, openAccount, suspend } from "./ledger/accounts.ts";
import { calculateFee, listFees, setFees } from "./ledger/fees.ts";
import { hold, listPending, post, reverse, showTransfer, voidHold } from "./ledger/hold.ts";
import { canSpend, setLimits, showLimits } from "./ledger/limits.ts";
import { reconcile } from "./ledger/reconcile.ts";
import { addSchedule, cancelSchedule, listSchedules } from "./ledger/schedules.ts";
import { exportStatement, listTransactions } from "./ledger/statement.ts";
import { transfer, transferShort, transferToSystem } from "./ledger/transfer.ts";
import { flush } from "./micropayments/flush.ts";
import { listBatches } from "./micropayments/listBatches.ts";
import { listChannels } from "./micropayments/listChannels.ts";
import { listPayments } from "./micropayments/listPayments.ts";
import { openChannel } from "./micropayments/openChannel.ts";
import { pay } from "./micropayments/pay.ts";
import { payBatch } from "./micropayments/payBatch.ts";
import { showBatch } from "./micropayments/showBatch.ts";
import { showChannel } from "./micropayments/showChannel.ts";
import { showReceipt } from "./micropayments/showReceipt.ts";
import { showOverview } from "./overview/show.ts";
import { proveObligation } from "./solvency/proof.ts";
import { listSnapshots, reportSolvency, takeSnapshot } from "./solvency/report.ts";
import { approve } from "./treasury/approve.ts";
import { listBudgets } from "./treasury/budgets.ts";
import { execute } from "./treasury/execute.ts";
import { showProposal, simulateProposal } from "./treasury/proposal.ts";
import { listProposals } from "./treasury/proposals.ts";
import { showTreasury } from "./treasury/show.ts";
import { spend } from "./treasury/spend.ts";
import { listWallets } from "./wallets/list.ts";
import { prices, settle, supported, verify } from "./x402/facilitator.ts";

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

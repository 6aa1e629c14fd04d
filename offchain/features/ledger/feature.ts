import { type Opened, serviceFeature } from "#offchain/platform/feature.ts";
import { balance, balanceShort, issue, openAccount, suspend } from "./actions/accounts.ts";
import { calculateFee, listFees, setFees } from "./actions/fees.ts";
import { hold, listPending, post, reverse, showTransfer, voidHold } from "./actions/hold.ts";
import { canSpend, setLimits, showLimits } from "./actions/limits.ts";
import { addSchedule, cancelSchedule, listSchedules } from "./actions/schedules.ts";
import { exportStatement, listTransactions } from "./actions/statement.ts";
import { transfer, transferShort, transferToSystem } from "./actions/transfer.ts";
import { expireHolds, forgetOldKeys, runSchedules } from "./jobs.ts";
import { openLedger } from "./ledger.ts";
import type { Ledger } from "./service.ts";
import { ledgerSettings } from "./settings.ts";

const forgetEveryMs = 3_600_000;

/** The double-entry ledger: accounts, two-phase transfers, limits, fees, schedules, statements. */
export const ledger = serviceFeature({
  name: "ledger",
  migrations: new URL("./migrations/", import.meta.url),
  settings: ledgerSettings,
  actions: [
    openAccount,
    balance,
    balanceShort,
    transfer,
    transferShort,
    transferToSystem,
    hold,
    post,
    voidHold,
    reverse,
    showTransfer,
    listPending,
    listTransactions,
    exportStatement,
    listFees,
    setFees,
    calculateFee,
    showLimits,
    setLimits,
    canSpend,
    suspend,
    issue,
    addSchedule,
    listSchedules,
    cancelSchedule,
  ],
  open({ sql, clock, log, settings }): Opened<Ledger> {
    const service = openLedger(sql, clock, settings.schedulesMax);
    return {
      service,
      jobs: [
        // Two jobs, so that nobody's schedules keep anybody's holds from expiring.
        {
          name: "expire holds",
          everyMs: settings.tickMs,
          isExclusive: true,
          async run() {
            const expired = await expireHolds({ sql, clock, ledger: service });
            if (expired > 0) log.info({ expired }, "holds expired");
          },
        },
        {
          name: "run schedules",
          everyMs: settings.tickMs,
          isExclusive: true,
          async run() {
            const runs = await runSchedules({ sql, clock });
            if (runs > 0) log.info({ runs }, "schedules ran");
          },
        },
        {
          name: "forget keys",
          everyMs: forgetEveryMs,
          isExclusive: true,
          async run() {
            const forgotten = await forgetOldKeys({ sql, clock }, settings.keyRetentionMs);
            if (forgotten > 0) log.info({ forgotten }, "old idempotency keys are forgotten");
          },
        },
      ],
    };
  },
});

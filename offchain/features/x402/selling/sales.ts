import type { Clock } from "#offchain/core/clock.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import type { Sale, Sales } from "../service.ts";
import { deleteUnpaid, endHold, holdSale, renewHold, saleState, saveAnswer } from "../store/sales.ts";

/** How long after its process died a request may be begun again; while it lives, the hold is renewed. */
const holdMs = 5_000;
const renewEveryMs = 1_500;

/** The sales of the chain's current run. */
export function openSales(sql: Sql, clock: Clock, currentRunId: () => bigint): Sales {
  const renewals = new Map<string, NodeJS.Timeout>();

  function renew(runId: bigint, sale: Sale): void {
    const timer = setInterval(() => {
      // A lost renewal is made up for by the next; without any, the sale may be begun again, and is paid once still.
      renewHold(sql, runId, sale, clock.now() + holdMs).catch(() => {});
    }, renewEveryMs);
    timer.unref();
    renewals.set(sale.payment.key, timer);
  }

  function stopRenewing({ payment }: Sale): void {
    clearInterval(renewals.get(payment.key));
    renewals.delete(payment.key);
  }

  return {
    find: async (sale) => saleState(sql, currentRunId(), sale, clock.now()),

    async begin(sale) {
      const runId = currentRunId();
      const now = clock.now();
      const found = await holdSale(sql, runId, sale, { now, heldUntil: now + holdMs });
      if (found.state === "new" || found.state === "resumed") renew(runId, sale);
      return found;
    },

    async end(sale, answer) {
      stopRenewing(sale);
      await saveAnswer(sql, currentRunId(), sale, answer, clock.now());
    },

    async release(sale, outcome) {
      stopRenewing(sale);
      if (outcome === "pending") await endHold(sql, currentRunId(), sale, clock.now());
      else await deleteUnpaid(sql, currentRunId(), sale);
    },
  };
}

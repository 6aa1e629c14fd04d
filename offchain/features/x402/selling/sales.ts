import { randomUUID } from "node:crypto";
import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import type { BegunSale, LeasedSale, Sale, Sales } from "../service.ts";
import { deleteUnpaid, endLease, leaseSale, renewLease, saleState, saveAnswer } from "../store/sales.ts";

/** How long after its process died a request may be begun again; while it lives, the lease is renewed. */
const leaseMs = 5_000;
const renewEveryMs = 1_500;

/** The sales of the chain's current run. */
export function openSales(sql: Sql, clock: Clock, currentRunId: () => bigint): Sales {
  const renewals = new Map<string, NodeJS.Timeout>();

  function renew(runId: bigint, sale: LeasedSale): void {
    const timer = setInterval(() => {
      // A lost renewal is made up for by the next; without any, the sale may be begun again, and is paid once still.
      renewLease(sql, runId, sale, clock.now() + leaseMs).catch(() => {});
    }, renewEveryMs);
    timer.unref();
    renewals.set(sale.holder, timer);
  }

  function stopRenewing({ holder }: LeasedSale): void {
    clearInterval(renewals.get(holder));
    renewals.delete(holder);
  }

  return {
    find: async (sale) => saleState(sql, currentRunId(), sale, clock.now()),

    async begin(sale) {
      const runId = currentRunId();
      const now = clock.now();
      const leased = { ...sale, holder: randomUUID() };
      const found = await leaseSale(sql, runId, leased, { now, leasedUntil: now + leaseMs });
      if (found.state !== "new" && found.state !== "resumed") return found as BegunSale;
      renew(runId, leased);
      return { state: "leased", leased };
    },

    async end(sale, answer) {
      stopRenewing(sale);
      if (await saveAnswer(sql, currentRunId(), sale, answer, clock.now())) return;
      throw inUse(sale, 0);
    },

    async release(sale, outcome) {
      stopRenewing(sale);
      const runId = currentRunId();
      if (outcome === "unpaid" && (await deleteUnpaid(sql, runId, sale))) return;
      await endLease(sql, runId, sale, clock.now());
    },
  };
}

/** Another request with the same payment is being served. */
export const inUse = ({ payment }: Sale, retryAfterMs: number): BursarError =>
  new BursarError("PAYMENT_IN_USE", "this payment's request is still running; ask again soon", {
    facts: { payment: payment.key, retryAfterMs: Math.min(retryAfterMs, 1_000) },
  });

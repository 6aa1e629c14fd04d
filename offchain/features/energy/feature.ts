import type { Carbon } from "#offchain/features/carbon/service.ts";
import type { Ledger } from "#offchain/features/ledger/service.ts";
import { type Opened, serviceFeature } from "#offchain/platform/feature.ts";
import { allocate } from "./actions/allocate.ts";
import { charge } from "./actions/charge.ts";
import { complete } from "./actions/complete.ts";
import { fail } from "./actions/fail.ts";
import { issueAdp } from "./actions/issue.ts";
import { listPools } from "./actions/pool.ts";
import { registerSource } from "./actions/source.ts";
import { showTicket } from "./actions/ticket.ts";
import { openEnergy } from "./energy.ts";
import { expire } from "./jobs.ts";
import { expireEveryMs } from "./rules/pool.ts";
import type { Energy } from "./service.ts";

/** Energy pools: capacity, ADP and ATP, and the work that turns one into the other. */
export const energy = serviceFeature({
  name: "energy",
  migrations: new URL("./migrations/", import.meta.url),
  actions: [allocate, charge, complete, fail, issueAdp, listPools, registerSource, showTicket],
  open({ sql, clock, log }, others: { ledger: Ledger; carbon: Carbon }): Opened<Energy> {
    const service = openEnergy(sql, clock, others);
    return {
      service,
      jobs: [
        {
          name: "expire",
          everyMs: expireEveryMs,
          isExclusive: true,
          async run() {
            const { expired, tickets } = await expire(service);
            if (expired > 0n || tickets.length > 0)
              log.info({ expired: expired.toString(), tickets: tickets.length }, "energy spoiled");
          },
        },
      ],
    };
  },
});

import type { Clock } from "#offchain/core/clock.ts";
import type { Agents } from "#offchain/features/agents/service.ts";
import type { Carbon } from "#offchain/features/carbon/service.ts";
import type { Clearings } from "#offchain/features/clearing/service.ts";
import type { Energy } from "#offchain/features/energy/service.ts";
import type { Events } from "#offchain/features/events/service.ts";
import type { Ledger } from "#offchain/features/ledger/service.ts";
import type { Overviews } from "#offchain/features/overview/service.ts";
import type { Micropayments } from "#offchain/features/payments/service.ts";
import type { Reconciliation } from "#offchain/features/solvency/actions/reconcile.ts";
import type { Solvency } from "#offchain/features/solvency/service.ts";
import type { Treasuries } from "#offchain/features/treasury/service.ts";
import type { Prices } from "#offchain/features/x402/price.ts";
import type { Facilitator } from "#offchain/features/x402/service.ts";

/** All that an action may touch: interfaces that the actions own, implemented by `store`, `chain` and `ports`, joined in `main.ts`. */
export interface World {
  readonly clock: Clock;
  readonly agents: Agents;
  readonly ledger: Ledger;
  readonly micropayments: Micropayments;
  readonly clearing: Clearings;
  readonly treasury: Treasuries;
  readonly overview: Overviews;
  readonly events: Events;
  /** Reads both the books and the chain. */
  reconcile(): Promise<Reconciliation>;
  readonly solvency: Solvency;
  readonly energy: Energy;
  readonly carbon: Carbon;
  readonly x402: Facilitator;
  /** What calling an action costs. */
  readonly prices: Prices;
}

import type { Clock } from "#offchain/domain/clock.ts";
import type { Prices } from "#offchain/domain/price.ts";
import type { Agents } from "./agents/port.ts";
import type { Carbon } from "./carbon/port.ts";
import type { Clearings } from "./clearing/port.ts";
import type { Energy } from "./energy/port.ts";
import type { Events } from "./events/port.ts";
import type { Ledger } from "./ledger/port.ts";
import type { Reconciliation } from "./ledger/reconcile.ts";
import type { Micropayments } from "./micropayments/port.ts";
import type { Overviews } from "./overview/port.ts";
import type { Solvency } from "./solvency/port.ts";
import type { Treasuries } from "./treasury/port.ts";
import type { Facilitator } from "./x402/port.ts";

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

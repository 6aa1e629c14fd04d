import type { Clock } from "#offchain/domain/clock.ts";
import type { Carbon } from "./carbon/port.ts";
import type { Energy } from "./energy/port.ts";
import type { Ledger } from "./ledger/port.ts";

/** All that an action may touch: interfaces that the actions own, implemented by `store`, `chain` and `ports`, joined in `main.ts`. */
export interface World {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly energy: Energy;
  readonly carbon: Carbon;
}

import type { AnyAction } from "#offchain/core/action.ts";
import { agents } from "#offchain/features/agents/feature.ts";
import { carbon } from "#offchain/features/carbon/feature.ts";
import { clearing } from "#offchain/features/clearing/feature.ts";
import { energy } from "#offchain/features/energy/feature.ts";
import { events } from "#offchain/features/events/feature.ts";
import { ledger } from "#offchain/features/ledger/feature.ts";
import { overview } from "#offchain/features/overview/feature.ts";
import { payments } from "#offchain/features/payments/feature.ts";
import { solvency } from "#offchain/features/solvency/feature.ts";
import { treasury } from "#offchain/features/treasury/feature.ts";
import { x402 } from "#offchain/features/x402/feature.ts";

/** Every feature, in the order in which they are opened: each after those whose services it uses. */
export const features = [
  agents,
  ledger,
  carbon,
  energy,
  payments,
  clearing,
  treasury,
  x402,
  events,
  solvency,
  overview,
] as const;

type AnyFeature = (typeof features)[number];
type ServiceOf<F extends AnyFeature> = Awaited<ReturnType<F["open"]>>["service"];

/** What the features offer each other and the doors, by name. */
export type Services = { readonly [F in AnyFeature as F["name"]]: ServiceOf<F> };

/** Every verb of Bursar by its name: what the doors and the SDK are derived from. */
export type Actions = { readonly [A in AnyFeature["actions"][number] as A["name"]]: A };

/** A verb with the feature whose service runs it. */
export interface FeatureAction {
  readonly feature: keyof Services;
  readonly isChainBound: boolean;
  readonly action: AnyAction;
}

/** Every verb by its name. */
export const actions: ReadonlyMap<string, FeatureAction> = new Map(
  features.flatMap((feature) =>
    (feature.actions as readonly AnyAction[]).map((action) => [
      action.name,
      { feature: feature.name, isChainBound: feature.scope === "chain", action },
    ]),
  ),
);

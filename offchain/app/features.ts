import type { AnyAction } from "#offchain/core/action.ts";
import { agents } from "#offchain/features/agents/feature.ts";
import { anchors } from "#offchain/features/anchors/feature.ts";
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
import type { AnyFeature } from "#offchain/platform/feature.ts";

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
  anchors,
  overview,
] as const;

type Ours = (typeof features)[number];
type ServiceOf<F extends Ours> = Awaited<ReturnType<F["open"]>>["service"];

/** What the features offer each other and the doors, by name. */
export type Services = { readonly [F in Ours as F["name"]]: ServiceOf<F> };

/** Every verb of Bursar by its name: what the SDK's types are generated from. @public */
export type Actions = { readonly [A in Ours["actions"][number] as A["name"]]: A };

/** A verb with the feature whose service runs it. */
export interface FeatureAction {
  readonly feature: string;
  readonly isChainBound: boolean;
  readonly action: AnyAction;
}

export type ActionsByName = ReadonlyMap<string, FeatureAction>;

/** Every verb of the features by its name. @throws Error when two have one name, or are reached in one way */
export function actionsOf(all: readonly AnyFeature[]): ActionsByName {
  const actions = new Map<string, FeatureAction>();
  const reached = new Map<string, string>();
  for (const { name: feature, scope, actions: declared } of all)
    for (const action of declared as readonly AnyAction[]) {
      const way = `${action.effect} ${action.resource}`;
      const other = actions.has(action.name) ? action.name : reached.get(way);
      if (other !== undefined)
        throw new Error(`the action ${action.name} of ${feature} has the name or the route of ${other}`);
      actions.set(action.name, { feature, isChainBound: scope === "chain", action });
      reached.set(way, action.name);
    }
  return actions;
}

/** Every verb of Bursar itself. */
export const actions = actionsOf(features);

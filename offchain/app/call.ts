import { type AnyAction, isKeyed } from "#offchain/core/action.ts";
import { type Caller, isAtLeast, proofOf, type Role, submitterOf } from "#offchain/core/call/caller.ts";
import type { Pricing, Purchase, SaleOutcome } from "#offchain/core/call/pricing.ts";
import { BursarError } from "#offchain/core/error.ts";
import type { RateLimit } from "#offchain/platform/rateLimit.ts";
import { withinRequest } from "#offchain/platform/requestContext.ts";
import type { RunOnce } from "#offchain/platform/requests/requests.ts";
import type { ActionsByName, FeatureAction } from "./features.ts";
import { createStreams, type OpenedStream, type Opening } from "./stream.ts";
import { validate } from "./validate.ts";

/** One call, as a door hands it over: who calls is established, nothing else is checked. */
export interface Call {
  /** The action's name. */
  readonly action: string;
  readonly caller: Caller;
  /** Gives every parameter, not validated yet; asked for once the caller is let in. */
  readonly input: () => unknown;
  /** Which chain is meant; absent: the first configured one. */
  readonly chainId?: number | undefined;
  /** Where the caller is; absent: nowhere that a rate is kept for. */
  readonly from?: string | undefined;
  /** A caller on this machine, which no rate bounds. */
  readonly isExemptFromRates?: boolean;
  /** Aborted when the caller is to be answered without waiting for something new; never, where it is absent. */
  readonly hurry?: AbortSignal | undefined;
  /** How this door takes a payment; a door that takes none cannot sell priced actions. */
  readonly purchase?: (() => Omit<Purchase, "action" | "summary">) | undefined;
}

/** The output of the action, or for a priced one what became of its sale. */
export type Answer =
  | { readonly kind: "done"; readonly output: unknown }
  | { readonly kind: "sale"; readonly outcome: SaleOutcome };

export interface Calls {
  /** Every verb that can be called here. */
  readonly actions: ActionsByName;
  /** Carries out one call. @throws BursarError whatever was wrong: the doors translate it, each in its own form */
  call(call: Call): Promise<Answer>;
  /** Opens the stream of an action, by the same pipeline. @throws BursarError as `call` */
  openStream(opening: Opening): Promise<OpenedStream>;
}

/** How much one caller may ask. */
export interface CallRates {
  readonly perIdentity: RateLimit;
  readonly ratePerIdentityPerSecond: number;
  /** Of the messages of streams and the items of a call that has many, which cost less than a request each. */
  readonly perStreamer: RateLimit;
  readonly itemsPerSecond: number;
}

export interface CallOptions {
  readonly actions: ActionsByName;
  /** What the features offer, by name. @throws BursarError NETWORK_MISMATCH for a chain that is not followed here */
  readonly servicesOn: (chainId?: number) => object;
  /** Who sells the priced actions of a chain; null when nothing has a price. */
  readonly pricingOn: (chainId?: number) => Pricing | null;
  readonly rates: CallRates;
  /** Keeps a signed request from being carried out twice. */
  readonly once: RunOnce;
}

/**
 * The one pipeline of every door: rate of the signer → role → rate of the items → validation → price → run. The price is
 * asked for last, so that nobody pays for a request that is refused. A signed write that has no idempotency key is run
 * once: what was overheard and is sent again gets the first answer, and undoes nothing that came later.
 */
export function createCalls({ actions, servicesOn, pricingOn, rates, once }: CallOptions): Calls {
  const runOnce = new Set<AnyAction>();
  for (const { action } of actions.values())
    if (action.effect !== "read" && !isKeyed(action.input)) runOnce.add(action);

  function admit({ action: name, caller, isExemptFromRates = false }: Call | Opening): FeatureAction {
    const known = actionOf(actions, name);
    const signer = submitterOf(caller);
    if (signer !== null && !isExemptFromRates)
      spend(rates.perIdentity, signer, "identity", rates.ratePerIdentityPerSecond);
    assertRole(caller, known.action.role, name);
    return known;
  }

  /** The items of a call count for who signed it and for where it comes from: neither is spared by the other. */
  function countItems(
    { action }: FeatureAction,
    sent: unknown,
    { caller, from, isExemptFromRates }: Call,
  ): void {
    const items = action.itemsOf?.(sent) ?? 0;
    if (items === 0 || isExemptFromRates) return;
    const signer = submitterOf(caller);
    if (from !== undefined) spend(rates.perStreamer, from, "ip", rates.itemsPerSecond, items);
    if (signer !== null) spend(rates.perStreamer, signer, "identity", rates.itemsPerSecond, items);
  }

  const serviceOf = (feature: string, chainId?: number): unknown =>
    (servicesOn(chainId) as Record<string, unknown>)[feature];
  const sellerOf = (name: string, chainId?: number): Pricing | null => {
    const pricing = pricingOn(chainId);
    return pricing?.prices.has(name) ? pricing : null;
  };

  async function carryOut(call: Call): Promise<Answer> {
    const { action: name, caller, input, chainId, purchase } = call;
    const known = admit(call);
    const { action, feature } = known;
    const sent = input();
    countItems(known, sent, call);
    const valid = validate(action.input, sent);
    const service = serviceOf(feature, chainId);
    const proof = runOnce.has(action) ? proofOf(caller) : null;
    const work = () => action.run(service, caller, valid);
    const run = proof ? () => once(proof, work) : work;
    const seller = sellerOf(name, chainId);
    if (!seller) return { kind: "done", output: await run() };
    if (!purchase) throw unsellable(action);
    const offer = { ...purchase(), action: name, summary: action.summary };
    return { kind: "sale", outcome: await seller.sell(offer, run) };
  }

  const openStream = createStreams({ admit, serviceOf, sellerOf, perStreamer: rates.perStreamer });
  return {
    actions,
    call: (call) => withinRequest(call.from, () => carryOut(call), call.hurry),
    openStream: (opening) => withinRequest(opening.from, () => openStream(opening)),
  };
}

/** @throws BursarError ROUTE_UNKNOWN */
function actionOf(actions: ActionsByName, name: string): FeatureAction {
  const known = actions.get(name);
  if (known) return known;
  const shown = name.slice(0, 80);
  throw new BursarError("ROUTE_UNKNOWN", `there is no action ${shown}`, { facts: { action: shown } });
}

const unsellable = ({ name }: AnyAction) =>
  new BursarError("FORBIDDEN", `${name} has a price here, which cannot be paid this way; call it over HTTP`, {
    facts: { action: name },
  });

/** @throws BursarError RATE_LIMITED when `who` has asked too much */
export function spend(
  limit: RateLimit,
  who: string,
  kind: "ip" | "identity",
  perSecond: number,
  items?: number,
): void {
  const retryAfterMs = limit(who, items);
  if (retryAfterMs === 0) return;
  const what = items === undefined ? "requests" : "vouchers or other items";
  throw new BursarError("RATE_LIMITED", `too many ${what} from ${who}; wait ${retryAfterMs} ms`, {
    facts: { [kind]: who, perSecond, ...(items !== undefined && { items }), retryAfterMs },
  });
}

/** @throws BursarError SIGNATURE_MISSING for an anonymous caller, FORBIDDEN for one of too low a role. */
function assertRole(caller: Caller, needed: Role, action: string): void {
  if (isAtLeast(caller.role, needed)) return;
  const facts = { action, role: caller.role, needed };
  if (caller.role === "anonymous")
    throw new BursarError("SIGNATURE_MISSING", `${action} needs a signed request (role ${needed})`, {
      facts,
    });
  throw new BursarError("FORBIDDEN", `${action} is for the ${needed} only`, { facts });
}

/** @throws BursarError VALIDATION_INVALID_INPUT: a price stands on an action that is not there, or on paying itself */
export function assertPricedActionsExist(
  actions: ActionsByName,
  pricing: Pricing | null,
  chainId?: number,
): void {
  const on = chainId === undefined ? "" : ` of chain ${chainId}`;
  for (const name of pricing?.prices.keys() ?? []) {
    const known = actions.get(name);
    if (!known || known.feature === pricing?.feature)
      throw new BursarError(
        "VALIDATION_INVALID_INPUT",
        `BURSAR_PRICES${on}: there is no action ${name} to put a price on`,
        {
          facts: { action: name },
        },
      );
  }
}

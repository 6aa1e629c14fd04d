import { x402Facilitator } from "@x402/core/facilitator";
import type { SettleResponse } from "@x402/core/types";
import { BatchSettlementEvmScheme } from "@x402/evm/batch-settlement/facilitator";
import { ExactEvmScheme } from "@x402/evm/exact/facilitator";
import type { SettleAnswer, SupportedKinds } from "../service.ts";
import { specifiedReason } from "./explain.ts";
import { networkNamesOf } from "./payment.ts";
import type { EvmSigner } from "./signer.ts";

type Pending = NonNullable<ConstructorParameters<typeof ExactEvmScheme>[1]>["pendingSettlementStore"];

/** The official schemes; one set per settlement, because each sends one transaction of its own. */
export function schemesOf(signer: EvmSigner, pendingSettlementStore?: Pending) {
  const config = pendingSettlementStore ? { pendingSettlementStore } : {};
  const exact = new ExactEvmScheme(signer, config);
  const batch = new BatchSettlementEvmScheme(signer, undefined, config);
  const of = (scheme: string) => (scheme === "exact" ? exact : batch);
  return {
    exact,
    batch,
    verify: (...[payload, requirements]: Parameters<x402Facilitator["verify"]>) =>
      of(requirements.scheme).verify(payload, requirements),
    settle: (...[payload, requirements]: Parameters<x402Facilitator["settle"]>) =>
      of(requirements.scheme).settle(payload, requirements),
  };
}

/** Nothing is read or sent for it. */
export function supportedKinds(signer: EvmSigner, chainId: number): SupportedKinds {
  const { exact, batch } = schemesOf(signer);
  const network = `eip155:${chainId}` as const;
  const { kinds, extensions, signers } = new x402Facilitator()
    .register(network, exact)
    .register(network, batch)
    .getSupported();
  const first = networkNamesOf(chainId).map((name) => ({ x402Version: 1, scheme: "exact", network: name }));
  return { kinds: [...kinds, ...first], extensions, signers };
}

/** What the official scheme answered, by the specification's names. */
export function officialOutcome(response: SettleResponse): SettleAnswer {
  const { success, errorReason, errorMessage, payer, transaction, network, amount, extra } = response;
  return {
    success,
    ...(errorReason && { errorReason: specifiedReason(errorReason) }),
    ...(errorMessage && { errorMessage: errorMessage.slice(0, 500) }),
    ...(payer && { payer }),
    transaction,
    network,
    ...(amount !== undefined && { amount }),
    ...(extra && { extra }),
  };
}

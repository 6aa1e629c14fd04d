import type { x402ResourceServer } from "@x402/core/server";
import type { PaymentRequirements, SettleResponse } from "@x402/core/types";
import { voucherSignature } from "../facilitator/payment.ts";
import { charge, type Price } from "../rules/price.ts";
import { mayHaveBeenSent } from "../rules/settlement.ts";
import type {
  BegunSale,
  Explanation,
  LeasedSale,
  Purchase,
  Sale,
  SaleAnswer,
  SaleOutcome,
  SaleState,
  Shop,
} from "../service.ts";
import type { SoldChannel } from "../store/channels.ts";
import { type ChannelPayment, channelFault, isCollectable, withdrawalFault } from "./channelRules.ts";
import { openResourceServer, type ResourceServer } from "./resourceServer.ts";
import { countItems, receiptOf } from "./saleReceipt.ts";
import { inUse } from "./sales.ts";

/** Sells answers: verify, run, settle, and only then hand the answer over. */
export type Sell = (purchase: Purchase, run: () => Promise<unknown>) => Promise<SaleOutcome>;

/** Opens the sale of priced actions; the official resource server is asked at the first purchase. */
export function openSale(shop: Shop): Sell {
  const ready = openResourceServer(shop);
  return async (purchase, run) => {
    const price = shop.prices.get(purchase.action);
    if (!price) throw new Error(`${purchase.action} has no price`);
    const outcome = await sell(shop, await ready(), price, { ...purchase, run });
    if (outcome.state === "paid") shop.onSale(purchase.action);
    return outcome;
  };
}

type PricedCall = Purchase & {
  /** Gives the answer's body, before JSON. */
  readonly run: () => Promise<unknown>;
};

/** One priced call, from its payment to its receipt. */
async function sell(
  shop: Shop,
  resourceServer: ResourceServer,
  price: Price,
  call: PricedCall,
): Promise<SaleOutcome> {
  const accepts = await resourceServer.accepts(price);
  const [exact] = accepts;
  if (!exact) throw new Error(`${call.action} can be paid in no way`);
  const refuse = (error: string, explain?: Explanation, payload?: Paying["payload"]) =>
    required(shop, resourceServer, accepts, call, {
      error,
      ...(explain && { explain }),
      ...(payload && { payload }),
    });

  const { payment: sent } = call;
  if (!sent) return refuse("Payment required");
  const { version } = sent;
  // Version 1 names no requirements: it is taken for `exact`, the one scheme that version 1 had.
  const told =
    sent.version === 1
      ? { x402Version: 2, accepted: exact, payload: sent.payload }
      : (sent.payload as unknown as Paying["payload"]);
  const requirements = resourceServer.server.findMatchingRequirements(accepts, told);
  if (!requirements) return refuse("No matching payment requirements");
  const identity = shop.facilitator.identify({
    x402Version: 2,
    paymentPayload: told,
    paymentRequirements: requirements,
  });
  if ("reason" in identity) return refuse(identity.reason, identity.explain);

  const { payload } = identity;
  const sale: Sale = { payment: identity, request: call.request, action: call.action };
  const paying: Paying = { shop, resourceServer, price, call, payload, requirements, sale, version };
  const found = await shop.sales.find(sale);
  const early = settledEarly(found, paying);
  if (early) return early;
  const payment = paymentByChannel(paying);
  const fault = payment && (await channelFault(shop, payment, requirements));
  if (fault) return refuse(fault, undefined, payload);
  const verdict = await resourceServer.verify(paying);
  if (!verdict.isValid) {
    if (await wasPaid(paying, found.state === "resumed", verdict.invalidReason ?? "")) return resume(paying);
    const explain = (verdict.extra as { explain?: Explanation } | undefined)?.explain;
    return refuse(verdict.invalidReason ?? "invalid_payload", explain, payload);
  }
  const cancel = resourceServer.server.createPaymentCancellationDispatcher(payload, requirements);
  if (verdict.skipHandler) return refund(paying, verdict.skipHandler.body);
  const isLeaving = withdrawalFault(verdict);
  if (isLeaving) {
    await cancel.cancel({ reason: "handler_failed" });
    return refuse(isLeaving, undefined, payload);
  }
  const begun = await shop.sales.begin(sale);
  if (begun.state !== "leased") {
    await cancel.cancel({ reason: "handler_failed" });
    return settledEarly(begun, paying);
  }
  try {
    return await serve({ ...paying, sale: begun.leased }, () => cancel.cancel({ reason: "handler_threw" }));
  } catch (error) {
    // It may have been paid; if the action threw, nothing is left to release. The channel serves the next try.
    await cancel.cancel({ reason: "handler_failed" }).catch(() => {});
    await shop.sales.release(begun.leased, "pending");
    throw error;
  }
}

interface Paying {
  readonly shop: Shop;
  readonly resourceServer: ResourceServer;
  readonly price: Price;
  readonly call: PricedCall;
  readonly payload: Parameters<x402ResourceServer["verifyPayment"]>[0];
  readonly requirements: PaymentRequirements;
  readonly sale: Sale;
  readonly version: 1 | 2;
}

/** One whose sale is in hand. */
type Serving = Paying & { readonly sale: LeasedSale };

const nonceUsed = "invalid_exact_evm_nonce_already_used";

/** The answer to a payment that somebody has used or is using; null when the way is free. */
function settledEarly(found: Exclude<BegunSale, { state: "leased" }>, paying: Paying): SaleOutcome;
function settledEarly(found: SaleState, paying: Paying): SaleOutcome | null;
function settledEarly(found: SaleState, paying: Paying): SaleOutcome | null {
  const { sale } = paying;
  switch (found.state) {
    case "paid":
      return paid(found.answer, paying.version);
    case "running":
      throw inUse(sale, found.retryAfterMs);
    case "other":
      return paymentFailed(paying, {
        success: false,
        errorReason: nonceUsed,
        transaction: "",
        network: paying.shop.network,
        extra: { explain: usedElsewhere(sale) },
      });
    default:
      return null;
  }
}

const usedElsewhere = ({ payment }: Sale): Explanation => ({
  about: "nonce",
  message: "this payment bought another request: sign one with a fresh nonce for this one",
  remedy: "fix",
  facts: { payment: payment.key },
});

/** Runs the action, settles what it cost, and hands the answer over with its receipt. */
async function serve(paying: Serving, onThrow: () => Promise<unknown>): Promise<SaleOutcome> {
  const startedAt = performance.now();
  let output: unknown;
  try {
    output = await paying.call.run();
  } catch (error) {
    await Promise.all([onThrow(), paying.shop.sales.release(paying.sale, "unpaid")]);
    throw error;
  }
  return settle(paying, output, performance.now() - startedAt);
}

async function settle(paying: Serving, output: unknown, tookMs: number): Promise<SaleOutcome> {
  const { resourceServer, price } = paying;
  const cost = charge(price, countItems(output));
  const isMetered = price.perItem !== null;
  const settled = await resourceServer
    .settle(paying, isMetered ? cost : undefined)
    .catch((error: unknown) => failureOf(error, paying.shop.network));
  if (!settled.success) return unsettled(paying, settled);
  if (!(await canBeCollected(paying))) {
    await paying.shop.sales.release(paying.sale, "pending");
    return paymentFailed(paying, { ...settled, success: false, errorReason: voucherSignature });
  }
  return deliver(paying, output, settled, cost, tookMs);
}

/** The sale is free again, or waits for what becomes of its payment. */
async function unsettled(paying: Serving, settled: SettleResponse): Promise<SaleOutcome> {
  await paying.shop.sales.release(
    paying.sale,
    settled.errorReason === "settlement_pending" ? "pending" : "unpaid",
  );
  return paymentFailed(paying, settled);
}

const paymentByChannel = ({ payload, requirements }: Paying): ChannelPayment | null =>
  requirements.scheme === "exact" ? null : (payload.payload as unknown as ChannelPayment);

async function canBeCollected(paying: Paying): Promise<boolean> {
  const payment = paymentByChannel(paying);
  return !payment || isCollectable(paying.shop, payment);
}

/** Whether a payment that is refused now has paid for this very sale before. */
async function wasPaid(paying: Paying, isResumed: boolean, reason: string): Promise<boolean> {
  if (paymentByChannel(paying)) return isResumed && isCharged(paying);
  return mayHaveBeenSent.has(reason) && (isResumed || hasFailed(paying));
}

/** The request died after its payment was settled: the same request is run again, and nothing is paid again. */
async function resume(paying: Paying): Promise<SaleOutcome> {
  const { shop, price } = paying;
  const begun = await shop.sales.begin(paying.sale);
  if (begun.state !== "leased") return settledEarly(begun, paying);
  const { leased } = begun;
  const serving: Serving = { ...paying, sale: leased };
  try {
    const settled = await recall(paying);
    if (!settled.success) return await unsettled(serving, settled);
    const startedAt = performance.now();
    const output = await paying.call.run();
    // What was charged counts: this run may give another number of items than the one that was paid for.
    const cost = chargedBy(settled) ?? charge(price, countItems(output));
    return await deliver(serving, output, settled, cost, performance.now() - startedAt);
  } catch (error) {
    await shop.sales.release(leased, "pending");
    throw error;
  }
}

/** Whether this sale was told that its payment failed: somebody else may have brought it to the chain since. */
const hasFailed = ({ shop, payload, requirements }: Paying): Promise<boolean> =>
  shop.facilitator.hasFailed({
    x402Version: 2,
    paymentPayload: payload,
    paymentRequirements: requirements,
  });

/** What became of a payment that was settled before: the facilitator knows of exact ones, the channel of the others. */
async function recall({ shop, payload, requirements }: Paying): Promise<SettleResponse> {
  if (requirements.scheme === "exact") {
    const request = { x402Version: 2, paymentPayload: payload, paymentRequirements: requirements };
    return (await shop.facilitator.settle(request)) as SettleResponse;
  }
  const channel = await channelOf(shop, payload);
  if (!channel) throw new Error("a channel that was charged is gone");
  const { channelId, balance, totalClaimed, withdrawRequestedAt, refundNonce, chargedCumulativeAmount } =
    channel;
  const charged = BigInt(chargedCumulativeAmount) - chargedBefore(payload, requirements);
  return {
    success: true,
    transaction: "",
    network: shop.network,
    payer: channel.channelConfig.payer,
    extra: {
      channelState: {
        channelId,
        balance,
        totalClaimed,
        withdrawRequestedAt,
        refundNonce: String(refundNonce),
        chargedCumulativeAmount,
      },
      // Without it a client takes the payment for one that cost nothing, and signs the same again.
      chargedAmount: charged.toString(),
    },
  };
}

/** Base units that a channel's answer was charged with; null for another payment. */
function chargedBy({ extra }: SettleResponse): bigint | null {
  const { chargedAmount } = (extra ?? {}) as { chargedAmount?: string };
  return chargedAmount === undefined ? null : BigInt(chargedAmount);
}

/** What the channel was charged with before this voucher, base units: a voucher asks for the whole price on top of it. */
function chargedBefore(
  { payload }: Paying["payload"],
  { amount }: Pick<PaymentRequirements, "amount">,
): bigint {
  const { voucher } = payload as { voucher: { maxClaimableAmount: string } };
  return BigInt(voucher.maxClaimableAmount) - BigInt(amount);
}

/** Whether this very payment is what the channel was charged for last. */
async function isCharged({ shop, payload, sale }: Paying): Promise<boolean> {
  const channel = await channelOf(shop, payload);
  return channel?.chargedBy === sale.payment.key;
}

const channelOf = (shop: Shop, { payload }: Paying["payload"]): Promise<SoldChannel | undefined> =>
  shop.channels.get((payload as { voucher: { channelId: string } }).voucher.channelId);

async function deliver(
  paying: Serving,
  output: unknown,
  settled: SettleResponse,
  cost: bigint,
  tookMs: number,
): Promise<SaleOutcome> {
  const receipt = {
    ...settled,
    ...(paying.version === 1 && { network: paying.shop.networkNames[0] ?? settled.network }),
    extensions: { ...settled.extensions, bursar: receiptOf(paying.sale, cost, tookMs) },
  };
  const answer = { status: 200, body: JSON.stringify(output), receipt };
  // What cost nothing has moved its channel nowhere: the next purchase is paid by the same voucher, and is another sale.
  if (cost === 0n) await paying.shop.sales.release(paying.sale, "unpaid");
  else await paying.shop.sales.end(paying.sale, answer);
  return paid(answer, paying.version);
}

/** A payer's own wish to close its channel: nothing is bought, so nothing runs. */
async function refund(paying: Paying, body: unknown): Promise<SaleOutcome> {
  const { resourceServer, shop, version } = paying;
  const settled = await resourceServer
    .settle(paying)
    .catch((error: unknown) => failureOf(error, shop.network));
  if (!settled.success) return paymentFailed(paying, settled);
  const answer = { status: 200, body: JSON.stringify(body ?? {}), receipt: settled };
  return paid(answer, version);
}

/** @throws what is no verdict on the payment: then it may have been paid all the same */
function failureOf(error: unknown, network: Shop["network"]): SettleResponse {
  const { errorReason, errorMessage } = error as { errorReason?: string; errorMessage?: string };
  if (errorReason === undefined) throw error;
  return {
    success: false,
    errorReason,
    ...(errorMessage && { errorMessage }),
    transaction: "",
    network,
  };
}

/** The ways to pay, in the form of version 2 and, for who speaks it, of version 1. */
async function required(
  shop: Shop,
  { server }: ResourceServer,
  accepts: PaymentRequirements[],
  { summary, url, speaksVersion1 }: PricedCall,
  { error, explain, payload }: { error: string; explain?: Explanation; payload?: Paying["payload"] },
): Promise<SaleOutcome> {
  const resource = { url, description: summary, mimeType: "application/json" };
  const asked = await server.createPaymentRequiredResponse(
    accepts,
    resource,
    error,
    undefined,
    undefined,
    payload,
  );
  const refusal = { state: "required" as const, asked, error, ...(explain && { explain }) };
  if (!speaksVersion1) return refusal;
  const first = accepts
    .filter(({ scheme }) => scheme === "exact")
    .map(({ amount, network, ...rest }) => ({
      ...rest,
      network: shop.networkNames[0] ?? network,
      maxAmountRequired: amount,
      resource: resource.url,
      description: resource.description,
      mimeType: resource.mimeType,
      outputSchema: {},
    }));
  return { ...refusal, version1: { x402Version: 1, error, accepts: first, ...(explain && { explain }) } };
}

/** What became of the payment; the bought body is withheld. */
function paymentFailed({ version }: Paying, settled: SettleResponse): SaleOutcome {
  const { explain } = (settled.extra ?? {}) as { explain?: Explanation };
  return {
    state: "failed",
    error: settled.errorReason ?? "unexpected_settle_error",
    receipt: settled,
    version,
    ...(explain && { explain }),
  };
}

const paid = (answer: SaleAnswer, version: 1 | 2): SaleOutcome => ({ state: "paid", answer, version });

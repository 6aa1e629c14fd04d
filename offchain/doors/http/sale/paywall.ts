import type { x402ResourceServer } from "@x402/core/server";
import type { PaymentRequirements, SettleResponse } from "@x402/core/types";
import { keccak256, stringToHex } from "viem";
import type { Caller } from "#offchain/app/action.ts";
import { BursarError } from "#offchain/core/error.ts";
import { charge, type Price } from "#offchain/features/x402/price.ts";
import type { Explanation, Sale, SaleAnswer, Shop } from "#offchain/features/x402/service.ts";
import { type Headers as AnswerHeaders, answerJson, answerText } from "../answer.ts";
import type { Exchange } from "../exchange.ts";
import { type AnyAction, allActions } from "../routes.ts";
import { encodeHeader, readPaymentHeader, speaksVersion1 } from "./paymentHeader.ts";
import { openTill, type Till } from "./resourceServer.ts";
import { countItems, receiptOf } from "./saleReceipt.ts";

/** A priced call: who calls what, and the work that the payment buys. */
export interface PricedCall {
  readonly action: Pick<AnyAction, "name" | "summary">;
  readonly exchange: Exchange;
  readonly caller: Caller;
  readonly body: Uint8Array;
  /** Gives the answer's body, before JSON. */
  readonly run: () => Promise<unknown>;
}

/** The x402 resource server before the actions: verify, run, settle, then answer. */
export interface Paywall {
  isPriced(action: string): boolean;
  serve(call: PricedCall): Promise<Response>;
}

const jsonType = { "content-type": "application/json" } as const;

/**
 * Puts prices on actions.
 * @param onSale told of each paid answer, a repeated one too
 * @throws BursarError VALIDATION_INVALID_INPUT: there is no action of a priced name
 */
export function createPaywall(shop: Shop, onSale: (action: string) => void = () => {}): Paywall {
  const known = new Set<string>(allActions.map(({ name }) => name));
  for (const name of shop.prices.keys())
    if (!known.has(name) || name.startsWith("x402."))
      throw new BursarError("VALIDATION_INVALID_INPUT", `there is no action ${name} to put a price on`, {
        facts: { action: name },
      });
  const till = openTill(shop);
  return {
    isPriced: (action) => shop.prices.has(action),
    async serve(call) {
      const price = shop.prices.get(call.action.name);
      if (!price) throw new Error(`${call.action.name} has no price`);
      const answer = await sell(shop, await till(), price, call);
      if (answer.status === 200) onSale(call.action.name);
      return answer;
    },
  };
}

/** One priced call, from its header to its receipt. */
async function sell(shop: Shop, till: Till, price: Price, call: PricedCall): Promise<Response> {
  const { exchange } = call;
  const requestHeaders = exchange.context.req.raw.headers;
  const accepts = await till.accepts(price);
  const fallback = accepts[0];
  if (!fallback) throw new Error(`${call.action.name} can be paid in no way`);
  const refuse = (error: string, explain?: Explanation, payload?: Paying["payload"]) =>
    required(shop, till, accepts, call, { error, ...(explain && { explain }), ...(payload && { payload }) });

  const sent = readPaymentHeader(requestHeaders, fallback);
  if (!sent) return refuse("Payment required");
  const { payload, version } = sent;
  const requirements = till.server.findMatchingRequirements(accepts, payload);
  if (!requirements) return refuse("No matching payment requirements");
  const identity = shop.facilitator.identify({
    x402Version: 2,
    paymentPayload: payload,
    paymentRequirements: requirements,
  });
  if ("reason" in identity) return refuse(identity.reason, identity.explain);

  const sale: Sale = { payment: identity, request: requestHash(call), action: call.action.name };
  const paying: Paying = { shop, till, price, call, payload, requirements, sale, version };
  const found = await shop.sales.find(sale);
  const early = settledEarly(found, paying);
  if (early) return early;
  const verdict = await till.server.verifyPayment(payload, requirements);
  if (!verdict.isValid) {
    const isResumed = found.state === "resumed";
    if (isResumed && verdict.invalidReason === nonceUsed) return resume(paying);
    if (isResumed && (await isCharged(paying))) return resume(paying);
    const explain = (verdict.extra as { explain?: Explanation } | undefined)?.explain;
    return refuse(verdict.invalidReason ?? "invalid_payload", explain, payload);
  }
  const cancel = till.server.createPaymentCancellationDispatcher(payload, requirements);
  if (verdict.skipHandler) return refund(paying, verdict.skipHandler.body);
  const begun = settledEarly(await shop.sales.begin(sale), paying);
  if (begun) {
    await cancel.cancel({ reason: "handler_failed" });
    return begun;
  }
  try {
    return await serve(paying, () => cancel.cancel({ reason: "handler_threw" }));
  } catch (error) {
    // It may have been paid; if the action threw, nothing is left to release.
    await shop.sales.release(sale, "pending");
    throw error;
  }
}

interface Paying {
  readonly shop: Shop;
  readonly till: Till;
  readonly price: Price;
  readonly call: PricedCall;
  readonly payload: Parameters<x402ResourceServer["verifyPayment"]>[0];
  readonly requirements: PaymentRequirements;
  readonly sale: Sale;
  readonly version: 1 | 2;
}

const nonceUsed = "invalid_exact_evm_nonce_already_used";

/** The answer to a payment that somebody has used or is using; null when the way is free. */
function settledEarly(
  found: Awaited<ReturnType<Shop["sales"]["find"]>>,
  paying: Paying,
): Promise<Response> | Response | null {
  const { call, sale } = paying;
  switch (found.state) {
    case "paid":
      return paidResponse(call, found.answer, paying.version);
    case "running":
      throw new BursarError("PAYMENT_IN_USE", "this payment's request is still running; ask again soon", {
        facts: { payment: sale.payment.key, retryAfterMs: Math.min(found.retryAfterMs, 1_000) },
      });
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
async function serve(paying: Paying, onThrow: () => Promise<unknown>): Promise<Response> {
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

async function settle(paying: Paying, output: unknown, tookMs: number): Promise<Response> {
  const { till, payload, requirements, price } = paying;
  const cost = charge(price, countItems(output));
  const isMetered = price.perItem !== null;
  const settled = await till.server
    .settlePayment(
      payload,
      requirements,
      undefined,
      undefined,
      isMetered ? { amount: cost.toString() } : undefined,
    )
    .catch((error: unknown) => failureOf(error, paying.shop.network));
  if (!settled.success) {
    await paying.shop.sales.release(
      paying.sale,
      settled.errorReason === "settlement_pending" ? "pending" : "unpaid",
    );
    return paymentFailed(paying, settled);
  }
  return deliver(paying, output, settled, cost, tookMs);
}

/** The request died after its payment was settled: the same request is run again, and nothing is paid again. */
async function resume(paying: Paying): Promise<Response> {
  const { shop, sale, price } = paying;
  const begun = settledEarly(await shop.sales.begin(sale), paying);
  if (begun) return begun;
  try {
    const settled = await recall(paying);
    if (!settled.success) {
      await shop.sales.release(sale, settled.errorReason === "settlement_pending" ? "pending" : "unpaid");
      return paymentFailed(paying, settled);
    }
    const startedAt = performance.now();
    const output = await paying.call.run();
    const cost = charge(price, countItems(output));
    return await deliver(paying, output, settled, cost, performance.now() - startedAt);
  } catch (error) {
    await shop.sales.release(sale, "pending");
    throw error;
  }
}

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
    },
  };
}

/** Whether the channel stands where this very voucher has brought it. */
async function isCharged({ shop, payload, requirements }: Paying): Promise<boolean> {
  const channel = requirements.scheme === "batch-settlement" ? await channelOf(shop, payload) : undefined;
  if (!channel || channel.pendingRequest) return false;
  const { voucher } = payload.payload as { voucher: { signature: string; maxClaimableAmount: string } };
  const before = BigInt(voucher.maxClaimableAmount) - BigInt(requirements.amount);
  return channel.signature === voucher.signature && BigInt(channel.chargedCumulativeAmount) > before;
}

const channelOf = (shop: Shop, { payload }: Paying["payload"]) =>
  shop.channels.get((payload as { voucher: { channelId: string } }).voucher.channelId);

async function deliver(
  paying: Paying,
  output: unknown,
  settled: SettleResponse,
  cost: bigint,
  tookMs: number,
): Promise<Response> {
  const receipt = {
    ...settled,
    ...(paying.version === 1 && { network: paying.shop.networkNames[0] ?? settled.network }),
    extensions: { ...settled.extensions, bursar: receiptOf(paying.sale, cost, tookMs) },
  };
  const answer = { status: 200, body: JSON.stringify(output), receipt: encodeHeader(receipt) };
  await paying.shop.sales.end(paying.sale, answer);
  return paidResponse(paying.call, answer, paying.version);
}

/** A payer's own wish to close its channel: nothing is bought, so nothing runs. */
async function refund(paying: Paying, body: unknown): Promise<Response> {
  const { till, payload, requirements, call, shop, version } = paying;
  const settled = await till.server
    .settlePayment(payload, requirements)
    .catch((error: unknown) => failureOf(error, shop.network));
  if (!settled.success) return paymentFailed(paying, settled);
  const answer = { status: 200, body: JSON.stringify(body ?? {}), receipt: encodeHeader(settled) };
  return paidResponse(call, answer, version);
}

function failureOf(error: unknown, network: Shop["network"]): SettleResponse {
  const { errorReason, errorMessage } = error as { errorReason?: string; errorMessage?: string };
  return {
    success: false,
    errorReason: errorReason ?? "unexpected_settle_error",
    ...(errorMessage && { errorMessage }),
    transaction: "",
    network,
  };
}

/** 402 with the ways to pay: in the header (version 2), and in the body for who speaks version 1. */
async function required(
  shop: Shop,
  { server }: Till,
  accepts: PaymentRequirements[],
  { action, exchange }: PricedCall,
  refusal: { error: string; explain?: Explanation; payload?: Paying["payload"] },
): Promise<Response> {
  const { error, explain, payload } = refusal;
  const resource = {
    url: exchange.context.req.url,
    description: action.summary,
    mimeType: "application/json",
  };
  const asked = await server.createPaymentRequiredResponse(
    accepts,
    resource,
    error,
    undefined,
    undefined,
    payload,
  );
  const headers = { ...exchange.headers, "payment-required": encodeHeader(asked) };
  if (!speaksVersion1(exchange.context.req.raw.headers))
    return answerJson(402, explain ? { error, explain } : {}, headers);
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
  return answerJson(402, { x402Version: 1, error, accepts: first, ...(explain && { explain }) }, headers);
}

/** 402 with what became of the payment; the bought body is withheld. */
function paymentFailed({ call, version }: Paying, settled: SettleResponse): Response {
  const { explain } = (settled.extra ?? {}) as { explain?: Explanation };
  const body = { error: settled.errorReason, ...(explain && { explain }) };
  return answerJson(402, body, {
    ...call.exchange.headers,
    ...receiptHeader(encodeHeader(settled), version),
  });
}

function paidResponse(
  { exchange }: PricedCall,
  { status, body, receipt }: SaleAnswer,
  version: 1 | 2,
): Response {
  return answerText(status, body, { ...jsonType, ...exchange.headers, ...receiptHeader(receipt, version) });
}

const receiptHeader = (receipt: string, version: 1 | 2): AnswerHeaders =>
  version === 1 ? { "x-payment-response": receipt } : { "payment-response": receipt };

/** Who asks for what: the same payment from another caller, or for another thing, is another sale. */
function requestHash({ caller, exchange, body }: PricedCall): `0x${string}` {
  const who = caller.role === "agent" ? caller.address : caller.role;
  return keccak256(stringToHex(JSON.stringify([who, exchange.method, exchange.target, keccak256(body)])));
}

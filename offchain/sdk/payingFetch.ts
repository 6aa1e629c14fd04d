import { x402HTTPClient } from "@x402/core/client";
import { decodePaymentResponseHeader, encodePaymentSignatureHeader } from "@x402/core/http";
import type { PaymentRequired, PaymentRequirements, SettleResponse } from "@x402/core/types";
import { keccak256, stringToHex } from "viem";
import { BursarError } from "#offchain/core/error.ts";
import { type Backoff, backoffMs, pause } from "#offchain/core/pause.ts";
import { formatAmount, parseAmount } from "#offchain/core/unit.ts";
import type { Client } from "./client.ts";
import { isPassing, type RetryOptions } from "./http/retry.ts";
import { type OpenPayment, OpenPayments } from "./paying/openPayments.ts";
import {
  type ChannelOptions,
  openPaymentWays,
  type PaymentWay,
  type PaymentWayOptions,
  type PaymentWays,
} from "./paying/paymentWay.ts";
import type { States } from "./states.ts";

/** What is about to be paid, before anything is signed. */
export interface PriceAsked {
  /** Written amount in USDC. */
  amount: string;
  payTo: `0x${string}`;
  url: string;
  description: string | null;
  scheme: string;
}

export interface PayingFetchOptions {
  /** A viem account that can sign. */
  account: PaymentWayOptions["account"];
  chainId: number;
  /** The one token that is paid with. */
  usdc: `0x${string}`;
  /** The most that one request may cost, in USDC, e.g. "0.01". */
  maxPrice: string;
  /** Asked before anything is signed; a text says why not. See {@link ledgerBudget}. */
  budget?: (price: PriceAsked) => Promise<true | string> | true | string;
  /** Durable, it keeps a restarted agent from paying again what it had paid. */
  states?: States;
  /** Pays by channels where the server takes them; without, each payment is a transaction of its own. */
  channels?: ChannelOptions;
  retry?: RetryOptions;
  /** How long one try may take, ms. */
  attemptTimeoutMs?: number;
  /** The time, epoch ms, by which an authorization has expired. */
  now?: () => number;
}

/** What the server says of a payment, with carbon and ATP when it is a Bursar. */
export interface PaymentReceipt extends SettleResponse {
  bursar?: {
    receiptId: string;
    action: string;
    charged: { amount: string; unit: string };
    carbon: { co2Micrograms: string; energyMillijoules: string; waterMicrolitres: string; factor: string };
    energy: { atp: { amount: string; unit: string } };
  };
}

const backoff: Backoff = { firstMs: 100, longestMs: 2_000 };
const usualDeadlineMs = 60_000;
const usualAttemptMs = 30_000;
/** A lost payment that is refused so may have been taken: only its own answer would tell. */
const mayBeTaken = /nonce_already_used|valid_before|cumulative_amount_mismatch/;
/** A fresh nonce is used by the payment alone: whoever sent it, its money has moved. */
const isTaken = /nonce_already_used/;

/**
 * A `fetch` that pays what a server asks by x402 (version 2). It refuses a price above `maxPrice` and asks the budget
 * before it signs; it remembers a payment before it leaves; and it sends the same payment again until it is answered,
 * so that no timeout, broken connection or restart ever pays one request twice.
 * @throws BursarError AMOUNT_ABOVE_MAXIMUM, BUDGET_EXCEEDED (nothing was signed), NETWORK_MISMATCH (no way to pay)
 * @throws BursarError PAYMENT_UNANSWERED: sent, and no answer in time; the same request again goes on with it
 * @throws BursarError PAYMENT_SPENT: its money has moved, and its answer was lost or is withheld
 */
export function payingFetch(
  fetch: typeof globalThis.fetch,
  options: PayingFetchOptions,
): (input: string | URL | Request, init?: RequestInit) => Promise<Response> {
  const network = `eip155:${options.chainId}` as const;
  const maxPrice = parseAmount(options.maxPrice, "USDC");
  const ways = openPaymentWays({ ...options, network, asset: options.usdc, maxPrice });
  const open = new OpenPayments(options.states ?? null);

  return async (input, init) => {
    const request = new Request(input, init);
    const name = await nameOf(request);
    const earlier = await open.takeUp(name);
    const earlierWay = earlier && ways.of(earlier.payment);
    if (earlier && earlierWay)
      return inTurn(earlierWay, () =>
        deliver({ fetch, options, request, name, way: earlierWay, open, sent: earlier }),
      );
    const response = await fetch(request.clone());
    if (response.status !== 402) return response;
    const { required, chosen } = choose(response, { network, usdc: options.usdc, ways, maxPrice });
    await askBudget(options, required, chosen, request.url);
    const way = ways.next(chosen.scheme);
    if (!way) throw noWay(required);
    return inTurn(way, async () => {
      const payment = await way.sign(required, chosen);
      const sent = await open.remember(name, payment);
      return deliver({ fetch, options, request, name, way, open, sent });
    });
  };
}

async function inTurn(way: PaymentWay, pay: () => Promise<Response>): Promise<Response> {
  const free = await way.take();
  try {
    return await pay();
  } finally {
    free();
  }
}

/** The receipt of a paid response; null when nothing was paid for it. */
export function paymentReceipt(response: Pick<Response, "headers">): PaymentReceipt | null {
  const header = response.headers.get("payment-response");
  if (!header) return null;
  const settled = decodePaymentResponseHeader(header);
  const bursar = settled.extensions?.bursar as PaymentReceipt["bursar"];
  return { ...settled, ...(bursar && { bursar }) };
}

/** Asks the agent's budget on the Bursar ledger whether it could spend the price now. */
export function ledgerBudget(client: Pick<Client, "ledger">): NonNullable<PayingFetchOptions["budget"]> {
  return async ({ amount }) => {
    const { canSpend, reason, broken } = await client.ledger.canSpend({ unit: "USDC", amount });
    return canSpend || [reason, ...broken].join(", ");
  };
}

interface Delivery {
  fetch: typeof globalThis.fetch;
  options: PayingFetchOptions;
  request: Request;
  /** Of the request, among open payments. */
  name: string;
  way: PaymentWay;
  open: OpenPayments;
  sent: OpenPayment;
}

/** Sends one payment until it is answered; a channel that was mended by a refusal signs once more. */
async function deliver(delivery: Delivery, isSecond = false): Promise<Response> {
  const { options, name, open, sent, way } = delivery;
  const givenUpAt = performance.now() + (options.retry?.deadlineMs ?? usualDeadlineMs);
  for (let tries = 1; ; tries += 1) {
    const pauseMs = backoffMs(tries, backoff);
    const response = await attempt(delivery);
    if (response && !(await isOpen(response))) {
      const { recovered } = await way.learn(sent.payment, response);
      if (response.status === 402 && (sent.isLost ? mayBeTaken : isTaken).test(reasonOf(response))) {
        // Keep the payment while it could still be taken. After that forget it: the caller has been told, and may sign another.
        if (isAlive(sent, (options.now ?? Date.now)())) open.abandon(name, sent);
        else await open.forget(name, sent);
        throw spent(delivery, reasonOf(response));
      }
      await open.forget(name, sent);
      if (!recovered || isSecond) return response;
      const required = requiredOf(response);
      const chosen = required?.accepts.find(({ scheme }) => scheme === sent.payment.accepted.scheme);
      if (!required || !chosen) return response;
      const again = await open.remember(name, await way.sign(required, chosen));
      return deliver({ ...delivery, sent: again }, true);
    }
    if (
      performance.now() + pauseMs > givenUpAt ||
      options.retry?.signal?.aborted ||
      delivery.request.signal.aborted
    ) {
      open.abandon(name, sent);
      throw unanswered(delivery);
    }
    await pause(pauseMs, options.retry?.signal).catch(() => {});
  }
}

/** Whether the payment could still be taken: an authorization until it expires. */
function isAlive({ payment }: OpenPayment, now: number): boolean {
  const { authorization } = payment.payload as { authorization?: { validBefore?: string } };
  return Number(authorization?.validBefore ?? 0) * 1000 > now;
}

/** One try; null when the connection was lost, or took too long. */
async function attempt({ fetch, options, request, sent }: Delivery): Promise<Response | null> {
  const headers = new Headers(request.headers);
  headers.set("payment-signature", encodePaymentSignatureHeader(sent.payment));
  const timeout = AbortSignal.timeout(options.attemptTimeoutMs ?? usualAttemptMs);
  const signals = [timeout, request.signal, ...(options.retry?.signal ? [options.retry.signal] : [])];
  try {
    return await fetch(new Request(request.clone(), { headers, signal: AbortSignal.any(signals) }));
  } catch (error) {
    const isLost = isPassing(error) || (error instanceof Error && /Abort|Timeout/.test(error.name));
    if (!isLost) throw error;
    sent.isLost = true;
    return null;
  }
}

/** Whether the same payment must be sent again: the server is busy with it, or could not say. */
async function isOpen(response: Response): Promise<boolean> {
  if (response.status === 402)
    return /settlement_pending|channel_busy|state_unavailable|rpc_read_failed|unexpected_(verify|settle)_error/.test(
      reasonOf(response),
    );
  if (response.status === 429 || response.status >= 500) return true;
  if (response.status !== 409) return false;
  const body = (await response
    .clone()
    .json()
    .catch(() => null)) as { error_code?: string } | null;
  return body?.error_code === "PAYMENT_IN_USE";
}

const http = new x402HTTPClient(undefined as never);

function requiredOf(response: Response): PaymentRequired | null {
  try {
    return http.getPaymentRequiredResponse((name) => response.headers.get(name));
  } catch {
    return null;
  }
}

/** Why a payment was refused, by the header that says it. */
function reasonOf(response: Response): string {
  const header = response.headers.get("payment-response");
  if (header) return decodePaymentResponseHeader(header).errorReason ?? "";
  return requiredOf(response)?.error ?? "";
}

function choose(
  response: Response,
  at: { network: string; usdc: string; ways: PaymentWays; maxPrice: bigint },
): { required: PaymentRequired; chosen: PaymentRequirements } {
  const required = requiredOf(response);
  if (!required || !Array.isArray(required.accepts)) throw noWay(required);
  const usable = required.accepts.filter(
    ({ scheme, network, asset, amount }) =>
      network === at.network &&
      asset?.toLowerCase() === at.usdc.toLowerCase() &&
      /^\d{1,78}$/.test(amount) &&
      at.ways.supports(scheme),
  );
  // A channel costs no transaction: where it is offered and wanted, it comes first.
  const sorted = usable.toSorted((a, b) => rank(a) - rank(b));
  const chosen = sorted.find(({ amount }) => BigInt(amount) <= at.maxPrice);
  if (chosen) return { required, chosen };
  const [dear] = sorted;
  if (!dear) throw noWay(required);
  throw new BursarError(
    "AMOUNT_ABOVE_MAXIMUM",
    `${required.resource.url} costs ${formatAmount(BigInt(dear.amount), "USDC")} USDC, above the ${formatAmount(at.maxPrice, "USDC")} that may be paid`,
    { facts: { price: BigInt(dear.amount), maxPrice: at.maxPrice, payTo: dear.payTo } },
  );
}

const rank = ({ scheme }: PaymentRequirements): number => (scheme === "batch-settlement" ? 0 : 1);

async function askBudget(
  { budget }: PayingFetchOptions,
  { resource }: PaymentRequired,
  { amount, payTo, scheme }: PaymentRequirements,
  url: string,
): Promise<void> {
  const written = formatAmount(BigInt(amount), "USDC");
  const description = resource?.description ?? null;
  const answer =
    (await budget?.({ amount: written, payTo: payTo as `0x${string}`, url, description, scheme })) ?? true;
  if (answer === true) return;
  throw new BursarError("BUDGET_EXCEEDED", `the budget does not allow ${written} USDC: ${answer}`, {
    facts: { amount: written, payTo, reason: answer },
  });
}

/** The same method, address and body is the same request. */
async function nameOf(request: Request): Promise<string> {
  const body = request.body ? await request.clone().text() : "";
  return keccak256(stringToHex(JSON.stringify([request.method, request.url, body])));
}

const noWay = (required: PaymentRequired | null) =>
  new BursarError("NETWORK_MISMATCH", "the server asks for a payment that this client cannot make", {
    facts: {
      accepts: (required?.accepts ?? []).map(({ scheme, network }) => `${scheme} on ${network}`).join(", "),
    },
  });

const unanswered = ({ request, sent }: Delivery) =>
  new BursarError(
    "PAYMENT_UNANSWERED",
    `${request.url} has not answered the payment; the same request goes on with it`,
    {
      facts: { url: request.url, amount: sent.payment.accepted.amount, isLost: sent.isLost },
    },
  );

const spent = ({ request, sent }: Delivery, reason: string) =>
  new BursarError(
    "PAYMENT_SPENT",
    `${request.url} may have taken the payment, and has not given its answer: ask its owner`,
    {
      facts: { url: request.url, amount: sent.payment.accepted.amount, reason },
    },
  );

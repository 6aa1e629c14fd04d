import { keccak256, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { BursarError } from "#offchain/core/error.ts";
import type { ErrorBody } from "#offchain/doors/http/answer.ts";
import { createHttp } from "#offchain/doors/http/http.ts";
import { serve } from "#offchain/doors/http/serve.ts";
import type { Agent } from "#offchain/features/agents/service.ts";
import type { Events } from "#offchain/features/events/service.ts";
import type {
  Micropayments,
  PaymentOutcome,
  PaymentRequest,
  Receipt,
} from "#offchain/features/payments/service.ts";
import { parsePrices } from "#offchain/features/x402/rules/price.ts";
import type { HealthCheck } from "#offchain/platform/observe/health.ts";
import { createLog } from "#offchain/platform/observe/log.ts";
import { chainId, smallService } from "../../support/service.ts";

export { chainId };
export const startedAt = 1_760_000_000_000;
export const account = (name: string) => privateKeyToAccount(keccak256(toHex(name)));

/**
 * A real server on a real socket. Only the world behind it is small and in memory: these tests are about the door.
 * What the world is asked for and does not have fails loudly.
 */
export async function openDoor(
  options: {
    environment?: Record<string, string>;
    checks?: Record<string, HealthCheck>;
    /** What becomes of payments; without it all are refused as stale. */
    pay?: Micropayments["pay"];
    events?: Events;
    /** As BURSAR_PRICES; nothing is paid here. */
    prices?: string;
  } = {},
) {
  const time = { now: startedAt };
  const clock = { now: () => time.now };
  const agents = new Map<string, Agent>();
  const payments: PaymentRequest[] = [];
  const log: string[] = [];
  const services = {
    agents: {
      async register({ address, name, role }: Pick<Agent, "name" | "role"> & { address: `0x${string}` }) {
        const agent = {
          address,
          name,
          role,
          did: `did:pkh:eip155:1:${address}`,
          registeredAt: time.now,
          suspended: false,
        };
        agents.set(address, agent);
        return agent;
      },
      get: async (address: string) => agents.get(address) ?? null,
      list: async ({ limit }: { limit: number }) => ({
        items: [...agents.values()].slice(0, limit),
        next: null,
      }),
    },
    events: options.events,
    payments: {
      async pay(requests: readonly PaymentRequest[]) {
        payments.push(...requests);
        if (options.pay) return options.pay(requests, null);
        return requests.map(({ key, channelId }) => ({
          ok: false as const,
          error: new BursarError("VOUCHER_STALE", `too late for ${key}`, {
            facts: { channelId, accepted: 10n ** 20n },
          }),
        }));
      },
      flush: async () => ({ batchId: null }),
    },
    ...(options.prices && { x402: { prices: parsePrices(options.prices) } }),
  };
  const service = smallService({
    services,
    ...(options.environment && { environment: options.environment }),
    clock,
    operator: account("operator").address,
    log: createLog({ level: "debug", clock, destination: { write: (line) => void log.push(line) } }),
    ...(options.checks && { checks: options.checks }),
  });
  const http = createHttp(service);
  const { bus } = service;
  const listening = await serve(http, service.config.http);
  return { ...listening, http, bus, time, payments, log, [Symbol.asyncDispose]: () => listening.close() };
}

/** The fields that the tests look at; a body that is no JSON stands in `text`. */
export interface Answer extends Partial<ErrorBody> {
  text?: string;
  [field: string]: unknown;
}

/** A request's status, headers and JSON. */
export async function ask(url: string, path: string, init: RequestInit = {}) {
  const response = await fetch(new URL(path, url), init);
  const text = await response.text();
  const body = text.startsWith("{") ? (JSON.parse(text) as Answer) : ({ text } as Answer);
  return { status: response.status, headers: response.headers, body };
}

export const post = (url: string, path: string, body: unknown, headers: Record<string, string> = {}) =>
  ask(url, path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

/** As the intake answers, with a proof that nobody looks into. */
export const accepted = (receipt: Receipt, replayed = false): PaymentOutcome => ({
  ok: true,
  receipt,
  replayed,
  signed: {
    prove: (first) => ({ operator: "0x", root: "0x", signature: "0x", first, leaves: 1, path: [] }),
  },
  leaf: 0,
});

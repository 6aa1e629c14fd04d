import { keccak256, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import type { ActionsByName } from "#offchain/app/features.ts";
import type { Service } from "#offchain/app/service.ts";
import type { Pricing } from "#offchain/core/call/pricing.ts";
import { BursarError } from "#offchain/core/error.ts";
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
import { smallService } from "../support/service.ts";

export const startedAt = 1_760_000_000_000;
export const account = (name: string) => privateKeyToAccount(keccak256(toHex(name)));

export interface SmallWorldOptions {
  environment?: Record<string, string>;
  checks?: Record<string, HealthCheck>;
  /** What becomes of payments; without it all are refused as stale. */
  pay?: Micropayments["pay"];
  events?: Events;
  /** As BURSAR_PRICES; nothing is paid here. */
  prices?: string;
  /** Feeds of chains that are followed besides the first one. */
  otherEvents?: ReadonlyMap<number, Events>;
  /** Bursar's own, unless a test has others. */
  actions?: ActionsByName;
}

/** The service's pipeline before a small world in memory, with the clock in the test's hand. */
export interface SmallWorld {
  readonly service: Service;
  readonly time: { now: number };
  readonly payments: PaymentRequest[];
  readonly log: string[];
}

/** What the world is asked for and does not have fails loudly. */
export function smallWorld(options: SmallWorldOptions = {}): SmallWorld {
  const time = { now: startedAt };
  const clock = { now: () => time.now };
  const payments: PaymentRequest[] = [];
  const log: string[] = [];
  const services = {
    agents: smallAgents(clock),
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
  };
  const service = smallService({
    services,
    ...(options.prices && { pricing: smallShop(options.prices) }),
    otherChains: new Map(
      [...(options.otherEvents ?? [])].map(([id, events]) => [id, { ...services, events }]),
    ),
    ...(options.actions && { actions: options.actions }),
    ...(options.environment && { environment: options.environment }),
    clock,
    operator: account("operator").address,
    log: createLog({ level: "debug", clock, destination: { write: (line) => void log.push(line) } }),
    ...(options.checks && { checks: options.checks }),
  });
  return { service, time, payments, log };
}

function smallAgents(clock: { now: () => number }) {
  const agents = new Map<string, Agent>();
  return {
    async register({ address, name, role }: Pick<Agent, "name" | "role"> & { address: `0x${string}` }) {
      const did = `did:pkh:eip155:1:${address}`;
      const registeredAt = agents.get(address)?.registeredAt ?? clock.now();
      const agent = { address, name, role, did, registeredAt, suspended: false };
      agents.set(address, agent);
      return agent;
    },
    get: async (address: string) => agents.get(address) ?? null,
    list: async ({ limit }: { limit: number }) => ({
      items: [...agents.values()].slice(0, limit),
      next: null,
    }),
  };
}

/** A shop that sells nothing: it only says what must be paid. */
const smallShop = (prices: string): Pricing => ({
  feature: "x402",
  prices: parsePrices(prices),
  sell: async () => ({
    state: "required",
    asked: { x402Version: 2, accepts: [] },
    error: "pay first",
  }),
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

import { integerText, plural } from "@/lib/format.ts";
import type { Overview } from "@/lib/model.ts";

/** What the overview says. */

export const headlineWords = {
  loading: "Loading the overview",
  empty: "empty",
  spent: "Spent within budgets in the last day",
  paused: "The Treasury is paused: nothing can be spent from any budget.",
  noLimit: "no budget has a daily limit",
  /** After the amount of it that no limit beside it belongs to. */
  stopped: "of it from budgets that are stopped by now, whose limits are left out",
  /** Of agents whose spending the figure does not have. */
  unlimited: (agents: number) =>
    `and ${plural(agents, "agent")} without a daily limit, whose spending no window counts`,
  paid: "Paid between agents",
  flow: ({ total, payers, payees }: Pick<Overview["payments"], "total" | "payers" | "payees">) =>
    `${plural(total, "payment")} by ${payers} to ${payees} agents`,
  rate: "Payments per second",
  pending: (payments: number) => `${integerText(payments)} not yet settled`,
} as const;

export const carbonWords = {
  loading: "Loading carbon",
  emitted: "Emitted by paid work",
  emittedNote: "Every receipt carries its share",
  perTicket: "Average per work ticket",
  average: (micrograms: string) => `≈ ${micrograms} µg CO₂e`,
  noTicket: "no work yet",
  intensity: "Average intensity",
  noEnergy: "no energy yet",
} as const;

export const energyWords = {
  loading: "Loading energy",
  free: "ATP free for work",
  reserved: "reserved",
  proven: (watts: string) => `${watts} W proven`,
  discharged: "Discharged into work",
  expired: "Expired unused",
  chargeable: "ADP that can be charged",
} as const;

export const settlementWords = {
  loading: "Loading settlement",
  perPayment: "Gas per payment",
  perPaymentNote: "One transfer for each would have cost about 85,728 gas each",
  noneSettled: "none settled yet",
} as const;

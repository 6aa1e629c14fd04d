import { BursarError } from "#offchain/core/error.ts";
import type { Footprint, Profile } from "#offchain/features/carbon/rules/footprint.ts";
import type { ComputeType } from "#offchain/features/carbon/rules/hardware.ts";
import type { Region } from "#offchain/features/carbon/rules/region.ts";
import type { Draw } from "./pool.ts";

/** Checksummed. */
export type Address = `0x${string}`;

export interface TicketRequest {
  /** Idempotency key within the society. */
  key: string;
  society: string;
  worker: Address;
  /** For whom the work is done; it may judge the work. */
  requester: Address | null;
  computeType: ComputeType;
  /** How long the work is expected to take. */
  durationMs: number;
  region: Region;
  profile: Profile;
  description: string;
  /** How long until work that nobody reports is given up. */
  timeoutMs: number;
}

export interface Completion {
  ticketId: string;
  /** How long the work really took. */
  durationMs: number;
  /** 10 000 is flawless; scales the worker's credit. */
  qualityBps: number;
}

export const ticketStates = ["allocated", "completed", "failed", "expired"] as const;
export type TicketState = (typeof ticketStates)[number];

/** What a payment's receipt says about the work that was paid for. */
export interface WorkReceipt extends Footprint {
  ticketId: string;
  /** µATP that the work consumed. */
  atp: bigint;
}

export interface Ticket extends Omit<TicketRequest, "timeoutMs"> {
  id: string;
  state: TicketState;
  /** µATP that was reserved for it. */
  reserved: bigint;
  createdAt: number;
  /** Overdue once `now` is past it. */
  deadlineAt: number;
  resolvedAt: number | null;
  /** Why it failed. */
  reason: string | null;
  result: { durationMs: number; qualityBps: number; creditAdp: bigint; receipt: WorkReceipt } | null;
}

/** A ticket without its footprint, which carbon keeps. */
export interface StoredTicket extends Omit<Ticket, "result"> {
  /** What was reported of completed work. */
  reported: { durationMs: number; qualityBps: number; creditAdp: bigint } | null;
}

/** The ticket with its footprint, once its work is done. */
export function withFootprint(
  { reported, ...ticket }: StoredTicket,
  footprint: (Footprint & { atp: bigint }) | undefined,
): Ticket {
  if (!reported || !footprint) return { ...ticket, result: null };
  const { atp, energyMillijoules, co2Micrograms, waterMicrolitres, factor } = footprint;
  const receipt = { ticketId: ticket.id, atp, energyMillijoules, co2Micrograms, waterMicrolitres, factor };
  return { ...ticket, result: { ...reported, receipt } };
}

/** Replayed: the same request was answered before, and this is that answer. */
export type TicketOutcome =
  | { ok: true; ticket: Ticket; replayed: boolean }
  | { ok: false; error: BursarError };

/** What a ticket holds: the lots that it drew from, in that order, and the ledger's pending transfer. */
export interface Held {
  holdId: string;
  draws: readonly Draw[];
}

/** Lower case, as PostgreSQL writes it back: a ticket has one spelling, so that it is paid once. */
export const isTicketId = (id: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);

/** Society ids hold no blank, so this joins without ambiguity. */
export const keyOf = ({ society, key }: { society: string; key: string }): string => `${society} ${key}`;

/** Whether a ticket was made by just this request. */
export const isSameRequest = (ticket: Ticket, request: TicketRequest): boolean =>
  ticket.worker === request.worker &&
  ticket.requester === request.requester &&
  ticket.computeType === request.computeType &&
  ticket.durationMs === request.durationMs &&
  ticket.region === request.region &&
  ticket.profile === request.profile &&
  ticket.description === request.description &&
  ticket.deadlineAt - ticket.createdAt === request.timeoutMs;

/**
 * The ticket, open, or completed by the same completion.
 * @throws BursarError TICKET_UNKNOWN, TICKET_CLOSED, IDEMPOTENCY_CONFLICT.
 */
export function requireCompletable(ticket: Ticket | undefined, completion: Completion, now: number): Ticket {
  const { ticketId } = completion;
  if (!ticket) throw ticketUnknown(ticketId);
  if (ticket.result) {
    const { durationMs, qualityBps } = ticket.result;
    if (durationMs === completion.durationMs && qualityBps === completion.qualityBps) return ticket;
    throw new BursarError("IDEMPOTENCY_CONFLICT", "the ticket was completed with other figures", {
      facts: { ticketId, durationMs, qualityBps },
    });
  }
  requireOpen(ticket, now);
  return ticket;
}

/** @throws BursarError TICKET_CLOSED. */
export function requireOpen(ticket: Ticket, now: number): void {
  if (ticket.state === "allocated" && now <= ticket.deadlineAt) return;
  throw new BursarError("TICKET_CLOSED", "the ticket is no longer open; allocate a new one", {
    facts: { ticketId: ticket.id, state: ticket.state, deadlineAt: ticket.deadlineAt, now },
  });
}

export const ticketUnknown = (id: string): BursarError =>
  new BursarError("TICKET_UNKNOWN", `no work ticket ${id}`, { facts: { ticketId: id } });

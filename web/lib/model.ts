import type { z } from "zod";
import type { streamEvent } from "#offchain/features/overview/streamEvents.ts";
import type { Client } from "#offchain/sdk/client.ts";

/** What the service answers, by the names that pages use; derived from the declared actions. */

export type Overview = Awaited<ReturnType<Client["overview"]["show"]>>;
export type Wallet = Awaited<ReturnType<Client["wallets"]["list"]>>["items"][number];
export type Budget = Awaited<ReturnType<Client["treasury"]["budgets"]>>["items"][number];
export type Proposal = Awaited<ReturnType<Client["treasury"]["proposal"]>>;
export type ProposalState = Proposal["state"];
export type Call = Proposal["calls"][number];
export type Receipt = Awaited<ReturnType<Client["payments"]["receipt"]>>;
export type Batch = Awaited<ReturnType<Client["batches"]["show"]>>;
export type Channel = Awaited<ReturnType<Client["channels"]["show"]>>;
export type Clearing = Awaited<ReturnType<Client["clearing"]["show"]>>;
export type SolvencyReport = Awaited<ReturnType<Client["solvency"]["report"]>>;
export type SolvencyLine = SolvencyReport["items"][number];
export type StreamEvent = z.output<typeof streamEvent>;
export type StreamEventOf<T extends StreamEvent["type"]> = Extract<StreamEvent, { type: T }>;

import type { BursarError } from "#offchain/core/error.ts";
import type { UnitCode } from "#offchain/core/unit.ts";
import type { Bounds } from "./fee.ts";

/**
 * Who holds an account. `agent:0x…` an agent's own money, `channel:<id>` a payment channel's deposit,
 * `society:<id>` an energy pool, `fees:…`, `treasury:…`. The kinds in {@link externalKinds} stand for the world
 * outside the ledger and may go below zero: what they are short of is what the ledger holds.
 */
export type AccountName = `${AccountKind}:${string}`;

export const accountKinds = [
  "agent",
  "channel",
  "payee",
  "treasury",
  "fees",
  "society",
  "worker",
  "expired",
  "consumed",
  "emitted",
  "chain",
  "capacity",
  "grid",
  "issuer",
] as const;
export type AccountKind = (typeof accountKinds)[number];

/** The outside world: a chain, an energy source, a power grid, an issuer. Only these may owe. */
export const externalKinds: ReadonlySet<AccountKind> = new Set(["chain", "capacity", "grid", "issuer"]);

/** What a chain holds, as the books mirror it: only the chain's own events may move them, or the books part from it. */
export const mirrorKinds: ReadonlySet<AccountKind> = new Set(["chain", "channel", "payee"]);

export function accountKind(name: AccountName): AccountKind {
  return name.slice(0, name.indexOf(":")) as AccountKind;
}

/** The one spelling of a name: addresses and other hexadecimal in it are lower case. */
export const canonicalName = (name: AccountName): AccountName =>
  name.replace(/0x[0-9a-f]+/gi, (hex) => hex.toLowerCase()) as AccountName;

/** The account of an agent's own money. */
export const agentAccount = (address: string): AccountName => `agent:${address.toLowerCase()}`;

/** A movement of an amount of one unit from the debited account to the credited one. */
export interface Movement {
  debit: AccountName;
  credit: AccountName;
  unit: UnitCode;
  /** Base units, above zero. */
  amount: bigint;
}

interface Keyed {
  /** Idempotency key: the same key with the same request returns the first result; with another, IDEMPOTENCY_CONFLICT. */
  key: string;
  /** Operations with the same link succeed together or not at all. */
  link?: string;
}

/** A caller's own facts about a transfer: short text by short name. */
export type Metadata = Readonly<Record<string, string>>;

interface Described {
  reference?: string;
  memo?: string;
  metadata?: Metadata;
}

interface Opening {
  /** Refuses with ACCOUNT_UNKNOWN instead of opening an account that is named for the first time. */
  mustExist?: boolean;
  /** Charged to the debited account beside the amount, when the transfer is posted. */
  fee?: { credit: AccountName; amount: bigint };
  /** The least and the most, as they are now: of a new request only, for a repeated one has its answer already. */
  bounds?: Bounds;
}

export type LedgerOperation =
  /** Moves at once. */
  | (Keyed & Described & Movement & Opening & { kind: "transfer" })
  /** Takes a posted transfer back, or a part of it, by one the other way. Not counted as spending; fees stay paid. */
  | (Keyed & Described & { kind: "reverse"; transferId: string; amount?: bigint })
  /** Reserves the amount in the debited account until it is posted, voided, or `expiresAt` (epoch ms) passes. */
  | (Keyed & Described & Movement & Opening & { kind: "hold"; expiresAt?: number })
  /** Moves what a hold reserved, or a part of it; the rest is released. */
  | (Keyed & { kind: "post"; transferId: string; amount?: bigint })
  /** Releases what a hold reserved. */
  | (Keyed & { kind: "void"; transferId: string });

export type TransferState = "pending" | "posted" | "voided";

export interface Transfer extends Movement {
  id: string;
  key: string;
  state: TransferState;
  reference: string | null;
  memo: string | null;
  metadata: Metadata | null;
  /** Charged beside the amount when it is posted. */
  fee: bigint | null;
  /** The posted transfer that this one takes back. */
  reverses: string | null;
  createdAt: number;
  expiresAt: number | null;
  resolvedAt: number | null;
  /** What was really moved; differs from `amount` after a partial post; null while pending or when voided. */
  postedAmount: bigint | null;
}

export interface Account {
  name: AccountName;
  unit: UnitCode;
  /** Credits minus debits that are posted. */
  balance: bigint;
  /** Reserved by pending debits. */
  pending: bigint;
  /** Reserved for this account by pending credits. */
  incoming: bigint;
  /** balance − pending: what can still be spent. */
  available: bigint;
  suspended: boolean;
}

/** One operation's durable outcome: the transfer as it then stood, or why not. */
export type LedgerOutcome =
  | { ok: true; transfer: Transfer; replayed: boolean }
  | { ok: false; error: BursarError };

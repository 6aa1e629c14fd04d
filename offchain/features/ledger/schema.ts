import { z } from "zod";
import { amount, epochMs, idempotencyKey, money, text, unit } from "#offchain/core/schema.ts";
import { formatAmount } from "#offchain/core/unit.ts";
import { budgetPeriods } from "./rules/budget.ts";
import {
  type AccountName,
  accountKinds,
  agentAccount,
  canonicalName,
  type Metadata,
  type Transfer,
} from "./rules/transfer.ts";
import type { Entry, Schedule, Standing } from "./service.ts";

const address = /^0x[0-9a-fA-F]{40}$/;
const fullName = new RegExp(`^(${accountKinds.join("|")}):[\\x21-\\x7e]{1,100}$`);

/** An account: an agent's address, or a full name such as `treasury:system`. */
export const accountName = z
  .string()
  .max(128)
  .refine(
    (name) => address.test(name) || fullName.test(name),
    "must be an agent's address (0x and 40 hexadecimal digits) or an account's full name such as treasury:system",
  )
  .transform(
    (name): AccountName => (address.test(name) ? agentAccount(name) : canonicalName(name as AccountName)),
  )
  .meta({ example: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8" });

/** A caller's own facts: at most 20 short texts by short names. */
const metadata = z
  .record(text(40).min(1), text(200))
  .refine((facts) => Object.keys(facts).length <= 20, "must have at most 20 names");

export const described = {
  reference: text(140).optional(),
  memo: text(500).optional(),
  metadata: metadata.optional(),
};

export const movement = {
  /** The caller's idempotency key: the same key with the same request returns the first result. */
  key: idempotencyKey,
  /** Whom it is taken from; the caller's own account unless the operator names another. */
  from: accountName.optional(),
  to: accountName,
  unit,
  amount,
  ...described,
};

export const transferId = text(40).min(1);

export const transfer = z
  .object({
    id: z.string(),
    key: z.string(),
    debit: z.string(),
    credit: z.string(),
    amount: money,
    state: z.enum(["pending", "posted", "voided"]),
    /** Charged beside the amount when it is posted. */
    fee: money.nullable(),
    /** What was really moved; null while pending or when voided. */
    postedAmount: money.nullable(),
    reference: z.string().nullable(),
    memo: z.string().nullable(),
    metadata: z.record(z.string(), z.string()).nullable(),
    /** The posted transfer that this one takes back. */
    reverses: z.string().nullable(),
    createdAt: epochMs,
    expiresAt: epochMs.nullable(),
    resolvedAt: epochMs.nullable(),
  })
  .meta({ id: "Transfer" });

export const allowance = z
  .object({
    period: z.enum(budgetPeriods),
    limit: money,
    spent: money,
    left: money,
    /** When it starts anew; null: it never runs down. */
    resetsAt: epochMs.nullable(),
  })
  .meta({ id: "Allowance" });

export const standing = z
  .object({
    account: z.string(),
    balance: money,
    /** Reserved by pending debits. */
    pending: money,
    /** Reserved for it by pending credits. */
    incoming: money,
    /** balance − pending: what can still be spent. */
    available: money,
    isSuspended: z.boolean(),
    openedAt: epochMs,
    limits: z.array(allowance),
  })
  .meta({ id: "Account" });

export const entry = z
  .object({
    /** Counts the account's entries from one. */
    number: z.string(),
    transferId: z.string(),
    /** Credits above zero, debits below. */
    amount: money,
    balanceAfter: money,
    postedAt: epochMs,
    counterparty: z.string(),
    reference: z.string().nullable(),
    memo: z.string().nullable(),
    metadata: z.record(z.string(), z.string()).nullable(),
  })
  .meta({ id: "Entry" });

export const schedule = z
  .object({
    id: z.string(),
    key: z.string(),
    debit: z.string(),
    credit: z.string(),
    amount: money,
    reference: z.string().nullable(),
    memo: z.string().nullable(),
    everyMs: z.number().int().nullable(),
    runsMax: z.number().int(),
    runs: z.number().int(),
    nextAt: epochMs.nullable(),
    state: z.enum(["active", "done", "cancelled"]),
    createdAt: epochMs,
    lastRun: z
      .object({
        ranAt: epochMs,
        transferId: z.string().nullable(),
        errorCode: z.string().nullable(),
        /** Times due before it that the service missed: they are not made up for. */
        skipped: z.number().int(),
      })
      .nullable(),
  })
  .meta({ id: "Schedule" });

type Written = Transfer["unit"];
const written = (base: bigint, of: Written) => ({ amount: formatAmount(base, of), unit: of });

/** The key as its caller wrote it: keys are kept apart by who uses them. */
const ownKey = (key: string): string => key.slice(key.indexOf(" ") + 1);

export function transferView(moved: Transfer): z.input<typeof transfer> {
  const { id, debit, credit, unit: of, state, reference, memo, metadata, reverses } = moved;
  return {
    id,
    key: ownKey(moved.key),
    debit,
    credit,
    amount: written(moved.amount, of),
    state,
    fee: moved.fee === null ? null : written(moved.fee, of),
    postedAmount: moved.postedAmount === null ? null : written(moved.postedAmount, of),
    reference,
    memo,
    metadata: metadata as Metadata | null,
    reverses,
    createdAt: moved.createdAt,
    expiresAt: moved.expiresAt,
    resolvedAt: moved.resolvedAt,
  };
}

export const allowanceViews = (limits: Standing["limits"], of: Written): z.input<typeof allowance>[] =>
  limits.map(({ period, limit, spent, left, resetsAt }) => ({
    period,
    limit: written(limit, of),
    spent: written(spent, of),
    left: written(left, of),
    resetsAt,
  }));

export const standingView = (account: Standing): z.input<typeof standing> => ({
  account: account.name,
  balance: written(account.balance, account.unit),
  pending: written(account.pending, account.unit),
  incoming: written(account.incoming, account.unit),
  available: written(account.available, account.unit),
  isSuspended: account.suspended,
  openedAt: account.openedAt,
  limits: allowanceViews(account.limits, account.unit),
});

export const entryView = (line: Entry): z.input<typeof entry> => ({
  number: line.number.toString(),
  transferId: line.transferId,
  amount: written(line.amount, line.unit),
  balanceAfter: written(line.balanceAfter, line.unit),
  postedAt: line.postedAt,
  counterparty: line.counterparty,
  reference: line.reference,
  memo: line.memo,
  metadata: line.metadata,
});

export function scheduleView({ unit: of, owner: _, ...row }: Schedule): z.input<typeof schedule> {
  return { ...row, amount: written(row.amount, of) };
}

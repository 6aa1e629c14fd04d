import { BursarError } from "#offchain/core/error.ts";
import { maxAmount, type UnitCode } from "#offchain/core/unit.ts";
import type { Allowance } from "../rules/budget.ts";
import { assertWithin, type Bounds } from "../rules/fee.ts";
import type { LedgerOperation, Metadata, Transfer } from "../rules/transfer.ts";
import type { AccountState } from "./state.ts";

/** Why the ledger refuses, in words and figures. */

export function assertAmount(amount: bigint, unit: UnitCode, bounds?: Bounds): void {
  if (amount > 0n && amount <= maxAmount) {
    if (bounds) assertWithin(bounds, amount, unit);
    return;
  }
  throw new BursarError("AMOUNT_INVALID", "amount must be above zero and at most 38 digits", {
    facts: { amount, unit },
  });
}

/** Free text must be text that PostgreSQL can hold: no NUL, no half of a surrogate pair. */
export function assertDescription(operation: {
  key: string;
  reference?: string;
  memo?: string;
  metadata?: Metadata;
}): void {
  const { key, reference, memo, metadata } = operation;
  assertText("key", key);
  assertText("reference", reference);
  assertText("memo", memo);
  if (metadata)
    for (const [name, value] of Object.entries(metadata)) {
      assertText("metadata", name);
      assertText(`metadata.${name}`, value);
    }
}

function assertText(field: string, text: string | undefined): void {
  if (text === undefined || (!text.includes("\0") && text.isWellFormed())) return;
  const message = "must be well-formed text without NUL";
  throw new BursarError("VALIDATION_INVALID_INPUT", `${field}: ${message}`, { fields: [{ field, message }] });
}

/** A transfer's id as the number that it is; null for text that is none. */
export const transferIdOf = (text: string): number | null => (/^\d{1,15}$/.test(text) ? Number(text) : null);

export const transferUnknown = (transferId: string) =>
  new BursarError("TRANSFER_UNKNOWN", `no transfer ${transferId.slice(0, 40)}`, {
    facts: { transferId: transferId.slice(0, 40) },
  });

export const accountUnknown = ({ name, unit }: { name: string; unit: string }) =>
  new BursarError("ACCOUNT_UNKNOWN", `there is no account ${name} in ${unit}; open it first`, {
    facts: { account: name, unit },
  });

export const accountSuspended = ({ name, unit }: AccountState) =>
  new BursarError("ACCOUNT_SUSPENDED", `account ${name} is suspended`, { facts: { account: name, unit } });

export const insufficientFunds = ({ name, unit }: AccountState, got: bigint, limit: bigint) =>
  new BursarError("INSUFFICIENT_FUNDS", `account ${name} has less available than asked`, {
    facts: { account: name, unit, got, limit },
  });

export const balanceOverflow = ({ name, unit }: AccountState, got: bigint) =>
  new BursarError("BALANCE_OVERFLOW", `account ${name} would hold more than 38 digits`, {
    facts: { account: name, unit, got, limit: maxAmount },
  });

export const budgetExceeded = ({ name, unit }: AccountState, got: bigint, broken: Allowance) =>
  new BursarError(
    "BUDGET_EXCEEDED",
    `${name} would spend more than its ${broken.period} limit${broken.period === "transaction" ? "" : " leaves"}`,
    {
      facts: {
        account: name,
        unit,
        period: broken.period,
        got,
        limit: broken.limit,
        left: broken.left,
        resetsAt: broken.resetsAt,
      },
    },
  );

export const keyConflict = (key: string, transferId: string) =>
  new BursarError("IDEMPOTENCY_CONFLICT", `key "${key}" was used for another operation`, {
    facts: { key, transferId },
  });

export const linkFailed = (operation: LedgerOperation, cause: BursarError) =>
  new BursarError("TRANSFER_LINK_FAILED", `a linked operation failed: ${cause.message}`, {
    facts: { link: operation.link, key: operation.key, code: cause.code },
    cause,
  });

export const holdExpired = (expiresAt: number, now: number) =>
  new BursarError("TRANSFER_EXPIRED", "a hold must expire in the future", { facts: { expiresAt, now } });

export const transferExpired = ({ id, expiresAt }: Transfer) =>
  new BursarError("TRANSFER_EXPIRED", `transfer ${id} expired`, { facts: { transferId: id, expiresAt } });

export const notPosted = ({ id, state }: Transfer) =>
  new BursarError("TRANSFER_NOT_POSTED", `transfer ${id} is ${state}: there is nothing to take back`, {
    facts: { transferId: id, state },
  });

export const exceedsPosted = (transferId: string, got: bigint, limit: bigint) =>
  new BursarError("TRANSFER_EXCEEDS_POSTED", `of transfer ${transferId} less is left to take back`, {
    facts: { transferId, got, limit },
  });

export const notPending = ({ id, state, resolvedAt }: Transfer) =>
  new BursarError("TRANSFER_NOT_PENDING", `transfer ${id} is ${state} already`, {
    facts: { transferId: id, state, resolvedAt },
  });

export const exceedsPending = ({ id, amount }: Transfer, got: bigint) =>
  new BursarError("TRANSFER_EXCEEDS_PENDING", `transfer ${id} reserved less than is posted`, {
    facts: { transferId: id, got, limit: amount },
  });

export const feeTransfer = (transferId: string, feeOf: number) =>
  new BursarError("FORBIDDEN", `transfer ${transferId} is the fee of ${feeOf} and shares its fate`, {
    facts: { transferId, feeOf },
  });

import type { Caller } from "#offchain/core/call/caller.ts";
import { BursarError } from "#offchain/core/error.ts";
import { parseAmount, type UnitCode, units } from "#offchain/core/unit.ts";
import { feeUp, systemTreasury } from "../rules/fee.ts";
import {
  type AccountName,
  accountKind,
  agentAccount,
  type LedgerOperation,
  mirrorKinds,
  type Transfer,
} from "../rules/transfer.ts";
import type { Ledger } from "../service.ts";

/** Who may do what with which account. The operator may all; an agent what is its own. */

/** An agent's own account; the operator has none. */
export const ownAccount = (caller: Caller): AccountName | null =>
  caller.role === "agent" ? agentAccount(caller.address) : null;

/**
 * The account that is meant: the caller's own when none is named.
 * @throws BursarError FORBIDDEN for another's, VALIDATION_INVALID_INPUT when the operator names none
 */
export function accountFor(caller: Caller, named: AccountName | undefined): AccountName {
  const own = ownAccount(caller);
  const account = named ?? own;
  if (account === null)
    throw new BursarError(
      "VALIDATION_INVALID_INPUT",
      "account: name the account; the operator has none of its own",
      {
        fields: [{ field: "account", message: "must name an account" }],
      },
    );
  if (caller.role !== "operator" && account !== own) throw notYours(account);
  return account;
}

const notYours = (account: AccountName) =>
  new BursarError("FORBIDDEN", `account ${account} belongs to somebody else`, { facts: { account } });

/** @throws BursarError FORBIDDEN for what mirrors a chain: nobody's word changes that, the operator's neither */
export function assertNoMirror(account: AccountName): AccountName {
  if (mirrorKinds.has(accountKind(account)))
    throw new BursarError("FORBIDDEN", `account ${account} mirrors the chain, whose events alone move it`, {
      facts: { account },
    });
  return account;
}

/** Keys are kept apart by who uses them, so that nobody meets another's. */
export const keyFor = (caller: Caller, key: string): string => `${ownAccount(caller) ?? caller.role} ${key}`;

/** What agents may pay to: each other, and the treasury. */
const payableKinds: ReadonlySet<string> = new Set(["agent", "treasury"]);

/**
 * A movement that an agent asks for, with its fee and the bounds of its unit. These change: the ledger looks at them
 * behind the key, so that a repeated request gets its first answer whatever they are by then.
 */
export async function paymentOf(
  ledger: Ledger,
  caller: Caller,
  input: { key: string; from?: AccountName | undefined; to: AccountName; unit: UnitCode; amount: string },
) {
  const { unit } = input;
  const credit = assertNoMirror(input.to);
  const debit = assertNoMirror(accountFor(caller, input.from));
  const amount = positive(input.amount, unit);
  if (!units[unit].transferable)
    throw new BursarError("UNIT_NOT_TRANSFERABLE", `${unit} cannot be given away`, { facts: { unit } });
  if (caller.role !== "operator" && !payableKinds.has(accountKind(credit)))
    throw new BursarError("FORBIDDEN", `agents pay agents and the treasury, not ${credit}`, {
      facts: { account: credit },
    });
  const terms = (await ledger.fees()).find((each) => each.unit === unit);
  const isBetweenAgents = accountKind(debit) === "agent" && accountKind(credit) === "agent";
  const fee = terms && isBetweenAgents ? feeUp(terms, amount) : 0n;
  return {
    key: keyFor(caller, input.key),
    debit,
    credit,
    unit,
    amount,
    // The treasury's account opens with its first income.
    mustExist: accountKind(credit) === "agent",
    ...(terms && isBetweenAgents && { bounds: { minimum: terms.minimum, maximum: terms.maximum } }),
    ...(fee > 0n && { fee: { credit: systemTreasury as AccountName, amount: fee } }),
  };
}

/** @throws BursarError AMOUNT_INVALID for zero too */
export function positive(text: string, unit: UnitCode): bigint {
  const amount = parseAmount(text, unit);
  if (amount > 0n) return amount;
  throw new BursarError("AMOUNT_INVALID", "amount must be above zero", {
    facts: { amount: text, unit },
    fields: [{ field: "amount", message: "must be above zero", value: text }],
  });
}

/** Submits one operation and gives its transfer, or throws why not. */
export async function submitOne(ledger: Ledger, operation: LedgerOperation): Promise<Transfer> {
  const [outcome] = await ledger.submit([operation]);
  if (!outcome) throw new Error("the ledger gave no outcome");
  if (!outcome.ok) throw outcome.error;
  return outcome.transfer;
}

/** The transfer, for one of its parties. @throws BursarError TRANSFER_UNKNOWN, FORBIDDEN */
export async function transferFor(
  ledger: Ledger,
  caller: Caller,
  transferId: string,
  parties: readonly ("debit" | "credit")[],
): Promise<Transfer> {
  const transfer = await ledger.transfer(transferId);
  if (!transfer)
    throw new BursarError("TRANSFER_UNKNOWN", `no transfer ${transferId}`, { facts: { transferId } });
  const own = ownAccount(caller);
  if (caller.role !== "operator" && !parties.some((party) => transfer[party] === own))
    throw new BursarError("FORBIDDEN", `transfer ${transferId} is not yours to do this with`, {
      facts: { transferId },
    });
  return transfer;
}

/** The same, to change what becomes of it. @throws BursarError TRANSFER_UNKNOWN, FORBIDDEN */
export async function transferToChange(...asked: Parameters<typeof transferFor>): Promise<Transfer> {
  const transfer = await transferFor(...asked);
  assertNoMirror(transfer.debit as AccountName);
  assertNoMirror(transfer.credit as AccountName);
  return transfer;
}

/** What of the caller's text goes with an operation. */
export const described = (input: {
  reference?: string | undefined;
  memo?: string | undefined;
  metadata?: Record<string, string> | undefined;
}) => ({
  ...(input.reference !== undefined && { reference: input.reference }),
  ...(input.memo !== undefined && { memo: input.memo }),
  ...(input.metadata !== undefined && { metadata: input.metadata }),
});

import type { UnitCode } from "#offchain/core/unit.ts";
import type { AccountName, LedgerOperation } from "../rules/transfer.ts";
import type { Books } from "./books.ts";
import { transferIdOf } from "./refusals.ts";

/** What the books must know before they can decide about some operations. */
export interface Wanted {
  accounts: Map<string, { name: AccountName; unit: UnitCode }>;
  transfers: Set<number>;
  keys: Set<string>;
}

/** What the operations touch that the books do not know; null if they know it all. @param withKeys Whether keys count. */
export function missing(
  books: Books,
  operations: Iterable<LedgerOperation>,
  withKeys: boolean,
): Wanted | null {
  let wanted: Wanted | null = null;
  const want = () => {
    wanted ??= { accounts: new Map(), transfers: new Set(), keys: new Set() };
    return wanted;
  };
  const account = (name: AccountName, unit: UnitCode) => {
    if (!books.accountOf(name, unit)) want().accounts.set(`${unit} ${name}`, { name, unit });
  };
  for (const operation of operations) {
    if (withKeys && !books.knowsKey(operation.key)) want().keys.add(operation.key);
    if (operation.kind === "transfer" || operation.kind === "hold") {
      account(operation.debit, operation.unit);
      account(operation.credit, operation.unit);
      if (operation.fee) account(operation.fee.credit, operation.unit);
    } else {
      const id = transferIdOf(operation.transferId);
      if (id !== null && !books.transferOf(id)) want().transfers.add(id);
    }
  }
  return wanted;
}

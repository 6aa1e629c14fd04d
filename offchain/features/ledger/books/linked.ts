import type { LedgerOperation } from "../rules/transfer.ts";

/** Positions of the operations that stand or fall together, in order of their first member. */
export function linkedGroups(operations: readonly LedgerOperation[]): number[][] {
  const found = Map.groupBy(operations.keys(), (at) => {
    const { link } = operations[at] as LedgerOperation;
    return link === undefined ? `at:${at}` : `link:${link}`;
  });
  return [...found.values()];
}

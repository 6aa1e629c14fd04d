import type { ReactNode } from "react";

export interface Column<Row> {
  /** Head of the column, and the cell's label when rows become cards. */
  label: string;
  align?: "start" | "end";
  /** The label is for screen readers only. */
  isBare?: boolean;
  cell: (row: Row) => ReactNode;
}

/** A table that becomes a list of cards below 640 px. */
export function Table<Row>({
  caption,
  columns,
  rows,
  keyOf,
}: {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
}) {
  return (
    <div className="overflow-x-auto">
      <table className="ledger">
        <caption className="sr-only">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ label, align, isBare }) => (
              <th key={label} scope="col" data-align={align}>
                {isBare ? <span className="sr-only">{label}</span> : label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ label, align, isBare, cell }) => (
                <td key={label} data-align={align} data-label={isBare ? undefined : label}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

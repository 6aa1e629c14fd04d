import { writeAmount } from "@/lib/format.ts";
import { cx } from "./cx.ts";

interface MoneyProps {
  amount: string;
  unit: string;
  /** Most fraction digits; what is beyond is marked by "…" and stands in the title. */
  limit?: number;
  /** Writes a plus too: for changes. */
  isSigned?: boolean;
  className?: string;
}

/** An amount with its unit. Cents are read first, so the digits after them stand back. */
export function Money({ amount, unit, limit = 6, isSigned = false, className }: MoneyProps) {
  const { sign, whole, fraction, isCut } = writeAmount(amount, unit, limit, isSigned);
  const [near, far] = [fraction.slice(0, 2), fraction.slice(2)];
  return (
    <span className={cx("whitespace-nowrap", className)} title={isCut ? `${amount} ${unit}` : undefined}>
      {sign}
      {whole}
      {fraction && `.${near}`}
      {(far || isCut) && (
        <span className="text-ink-3">
          {far}
          {isCut && "…"}
        </span>
      )}
      <span className="ml-[0.3em] font-normal text-[clamp(0.75rem,0.5em,1rem)] text-ink-3">{unit}</span>
    </span>
  );
}

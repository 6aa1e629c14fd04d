import { cx } from "./cx.ts";

/** One of a few: pressed buttons in a row. */
export function Toggle<Value extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: Value;
  options: readonly { value: Value; label: string; count?: number | undefined }[];
  onChange: (value: Value) => void;
}) {
  return (
    <fieldset className="inline-flex flex-wrap gap-0.5 rounded-lg bg-sunken p-0.5">
      <legend className="sr-only">{label}</legend>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          onClick={() => onChange(option.value)}
          className={cx(
            "inline-flex min-h-7 items-center gap-1.5 rounded-md px-2.5 text-sm",
            option.value === value
              ? "bg-surface font-medium text-ink shadow-flat ring-1 ring-line"
              : "text-ink-2 hover:text-ink",
          )}
        >
          {option.label}
          {option.count !== undefined && option.count > 0 && (
            <span className="text-ink-3 text-xs">{option.count}</span>
          )}
        </button>
      ))}
    </fieldset>
  );
}

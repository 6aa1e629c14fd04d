"use client";
import { type ReactNode, useEffect, useId, useRef } from "react";
import { cx } from "./cx.ts";
import { Icon } from "./Icon.tsx";

/** The browser's own modal dialog: it traps focus, closes on Escape, and gives the focus back. */
export function Dialog({
  title,
  note,
  isOpen,
  onClose,
  size = "md",
  children,
}: {
  title: string;
  note?: ReactNode;
  isOpen: boolean;
  onClose: () => void;
  size?: "sm" | "md";
  children: ReactNode;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  // After every change: Escape has closed it already when its owner says that it stays open.
  useEffect(() => {
    const dialog = ref.current;
    if (isOpen && !dialog?.open) dialog?.showModal();
    if (!isOpen && dialog?.open) dialog.close();
  });
  return (
    <dialog
      ref={ref}
      aria-labelledby={id}
      onClose={() => isOpen && onClose()}
      onClick={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
      onKeyDown={() => {}}
      className={cx(
        "m-auto max-h-[min(92dvh,56rem)] w-[calc(100vw-1.5rem)] overflow-auto rounded-2xl border border-line bg-surface text-ink shadow-lifted motion-safe:animate-[appear_160ms_ease-out]",
        size === "sm" ? "max-w-md" : "max-w-2xl",
      )}
    >
      {isOpen && (
        <>
          <div className="sticky top-0 z-10 flex items-start justify-between gap-4 border-line border-b bg-surface px-5 py-3.5">
            <div className="min-w-0">
              <h2 id={id} className="font-semibold text-lg tracking-[-0.012em]">
                {title}
              </h2>
              {note && <div className="text-ink-3 text-sm">{note}</div>}
            </div>
            <button
              type="button"
              aria-label="Close"
              onClick={onClose}
              className="-mr-1.5 grid size-8 shrink-0 place-items-center rounded-md text-ink-3 hover:bg-sunken hover:text-ink"
            >
              <Icon name="cross" />
            </button>
          </div>
          <div className="px-5 py-4">{children}</div>
        </>
      )}
    </dialog>
  );
}

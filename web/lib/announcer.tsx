"use client";
import { createContext, type ReactNode, use, useCallback, useState } from "react";

const AnnouncerContext = createContext<(text: string) => void>(() => {});

/** Says a text to screen readers, politely: the state of a signature or transaction, never a mere number. */
export const useAnnounce = () => use(AnnouncerContext);

export function AnnouncerProvider({ children }: { children: ReactNode }) {
  const [said, setSaid] = useState({ text: "", turn: 0 });
  const announce = useCallback((text: string) => setSaid(({ turn }) => ({ text, turn: turn + 1 })), []);
  return (
    <AnnouncerContext value={announce}>
      {children}
      <div role="status" aria-live="polite" className="sr-only" data-testid="announcer">
        {/* The same sentence twice must still be heard twice. */}
        <span key={said.turn}>{said.text}</span>
      </div>
    </AnnouncerContext>
  );
}

"use client";
import { useQuery } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { useAheadMs, useNow } from "../clock.tsx";
import { overviewQuery } from "../queries.ts";
import { useService } from "../session.tsx";
import { chainSilence, type Hearing, isSilent } from "./freshness.ts";
import { heard } from "./heard.ts";

/** Since when the page has been looked at: 0 until it is. */
let since = 0;

export function watchedSince(): number {
  if (since === 0) since = Date.now();
  return since;
}

function onVisible(listener: () => void): () => void {
  const look = () => {
    if (document.visibilityState !== "visible") return;
    since = Date.now();
    listener();
  };
  document.addEventListener("visibilitychange", look);
  return () => document.removeEventListener("visibilitychange", look);
}

/** When the service was heard last, by any answer, and whether the chain is heard by it. */
export function useHearing(): Hearing {
  const { data, error, dataUpdatedAt } = useQuery(overviewQuery(useService()));
  const heardAt = useSyncExternalStore(heard.onChange, heard.at, () => 0);
  const watched = useSyncExternalStore(onVisible, watchedSince, () => 0);
  const aheadMs = useAheadMs();
  // Noted by the browser's clock, and compared with what the service tells.
  const told = (at: number) => (at === 0 ? 0 : at + aheadMs);
  return {
    answeredAt: told(Math.max(dataUpdatedAt, heardAt)),
    figuresAt: told(dataUpdatedAt),
    watchedSince: told(watched),
    refusal: refusalOf(error),
    chain: data?.chain,
  };
}

/** The code with which the service refused; null for silence, too. */
export function refusalOf(error: unknown): string | null {
  const { code, status } = (error ?? {}) as { code?: string; status?: number };
  return status !== undefined && code !== undefined && code !== "SERVICE_UNREACHABLE" ? code : null;
}

/** Whether the service has fallen silent: then no figure may look as if it were of now. */
export const useIsSilent = (): boolean => isSilent(useHearing(), useNow());

/** That the chain alone has fallen silent, in words; null while it is heard, or the service itself is not. */
export function useChainSilence(): string | null {
  const hearing = useHearing();
  const now = useNow();
  return isSilent(hearing, now) ? null : chainSilence(hearing, now);
}

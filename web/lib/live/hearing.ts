"use client";
import { useQuery } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { useNow } from "../clock.tsx";
import { overviewQuery } from "../queries.ts";
import { useService } from "../session.tsx";
import { type Hearing, isSilent } from "./freshness.ts";

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

/** When the service was heard last. */
export function useHearing(): Hearing {
  const { dataUpdatedAt } = useQuery(overviewQuery(useService()));
  const watched = useSyncExternalStore(onVisible, watchedSince, () => 0);
  return { answeredAt: dataUpdatedAt, watchedSince: watched };
}

/** Whether the service has fallen silent: then no figure may look as if it were of now. */
export const useIsSilent = (): boolean => isSilent(useHearing(), useNow());

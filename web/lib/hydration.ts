import { useSyncExternalStore } from "react";

const never = () => () => {};

/** False on the server and until the page's scripts run: what only the browser knows or does waits for it. */
export const useIsHydrated = (): boolean =>
  useSyncExternalStore(
    never,
    () => true,
    () => false,
  );

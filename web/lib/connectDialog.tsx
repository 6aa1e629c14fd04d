"use client";
import { createContext, type ReactNode, use, useMemo, useState } from "react";

const ConnectDialogContext = createContext({ isOpen: false, open: () => {}, close: () => {} });

/** Whether the page is asking for a wallet; any feature may ask. */
export const useConnectDialog = () => use(ConnectDialogContext);

export function ConnectDialogProvider({ children }: { children: ReactNode }) {
  const [isOpen, setOpen] = useState(false);
  const value = useMemo(() => ({ isOpen, open: () => setOpen(true), close: () => setOpen(false) }), [isOpen]);
  return <ConnectDialogContext value={value}>{children}</ConnectDialogContext>;
}

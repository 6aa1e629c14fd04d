"use client";
import { createContext, type ReactNode, use } from "react";
import { type Client, createClient } from "#offchain/sdk/client.ts";
import type { WebConfig } from "./config.ts";

interface Session {
  config: WebConfig;
  client: Client;
}

const SessionContext = createContext<Session | null>(null);

export function SessionProvider({ session, children }: { session: Session; children: ReactNode }) {
  return <SessionContext value={session}>{children}</SessionContext>;
}

export const createSession = (config: WebConfig): Session => ({
  config,
  client: createClient({ url: config.apiUrl }),
});

function useSession(): Session {
  const session = use(SessionContext);
  if (!session) throw new Error("a page stands outside SessionProvider");
  return session;
}

export const useWebConfig = (): WebConfig => useSession().config;

/** The service's typed client, as any outside caller uses it. */
export const useService = (): Client => useSession().client;

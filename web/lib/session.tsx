"use client";
import { createContext, type ReactNode, use } from "react";
import { type Client, type ClientOptions, createClient } from "#offchain/sdk/client.ts";
import type { WebConfig } from "./config.ts";
import { heard } from "./live/heard.ts";

interface Session {
  config: WebConfig;
  client: Client;
}

const SessionContext = createContext<Session | null>(null);

export function SessionProvider({ session, children }: { session: Session; children: ReactNode }) {
  return <SessionContext value={session}>{children}</SessionContext>;
}

/** A person waits: no page does for as long as an agent may. */
const deadlines = { readMs: 8_000, writeMs: 20_000 };

export const createService = (config: WebConfig, authorize?: ClientOptions["authorize"]): Client =>
  createClient({
    url: config.apiUrl,
    deadlines,
    fetch: heard.fetch((...asked) => globalThis.fetch(...asked)),
    ...(authorize && { authorize }),
  });

export const createSession = (config: WebConfig): Session => ({ config, client: createService(config) });

function useSession(): Session {
  const session = use(SessionContext);
  if (!session) throw new Error("a page stands outside SessionProvider");
  return session;
}

export const useWebConfig = (): WebConfig => useSession().config;

/** The service's typed client, as any outside caller uses it. */
export const useService = (): Client => useSession().client;

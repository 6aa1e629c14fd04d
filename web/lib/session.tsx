"use client";
import { createContext, type ReactNode, use } from "react";
import { type Client, type ClientOptions, createClient } from "#offchain/sdk/client.ts";
import { usualDeadlines } from "#offchain/sdk/http/deadline.ts";
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

/**
 * A person waits: no page does for as long as an agent may to read something. What changes something takes as long as the
 * service may wait for a block: before, nobody could say what came of it.
 */
const deadlines = { readMs: 8_000, writeMs: usualDeadlines.writeMs };

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

"use client";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { ThemeProvider } from "next-themes";
import { type ReactNode, useState } from "react";
import { WagmiProvider } from "wagmi";
import { backoffMs } from "#offchain/core/pause.ts";
import { AnnouncerProvider } from "@/lib/announcer.tsx";
import { createWalletConfig } from "@/lib/chain.ts";
import type { WebConfig } from "@/lib/config.ts";
import { ConnectDialogProvider } from "@/lib/connectDialog.tsx";
import { LiveProvider } from "@/lib/live/live.tsx";
import { createSession, SessionProvider } from "@/lib/session.tsx";

const createQueries = () =>
  new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 1_000,
        networkMode: "always",
        // A refusal stays a refusal; only silence is worth asking again.
        retry: (count, error) => count < 2 && !("remedy" in error && error.remedy !== "retry"),
        retryDelay: (failures) => backoffMs(failures + 1, { firstMs: 500, longestMs: 1_000 }),
        // An answer on the page is kept while a newer one is fetched, and when none comes.
        refetchOnReconnect: "always",
      },
      mutations: { networkMode: "always" },
    },
  });

export function Providers({ config, children }: { config: WebConfig; children: ReactNode }) {
  const [queries] = useState(createQueries);
  const [wallets] = useState(() => createWalletConfig(config));
  const [session] = useState(() => createSession(config));
  return (
    <ThemeProvider attribute="data-theme" disableTransitionOnChange>
      <WagmiProvider config={wallets}>
        <QueryClientProvider client={queries}>
          <SessionProvider session={session}>
            <LiveProvider apiUrl={config.apiUrl}>
              <AnnouncerProvider>
                <ConnectDialogProvider>{children}</ConnectDialogProvider>
              </AnnouncerProvider>
            </LiveProvider>
          </SessionProvider>
        </QueryClientProvider>
      </WagmiProvider>
    </ThemeProvider>
  );
}

import { GeistMono } from "geist/font/mono";
import { GeistSans } from "geist/font/sans";
import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import { ConnectButton } from "@/features/connection/ConnectButton.tsx";
import { ConnectDialog } from "@/features/connection/ConnectDialog.tsx";
import { Shell } from "@/features/shell/Shell.tsx";
import { shellWords } from "@/features/shell/words.ts";
import { readConfig } from "@/lib/config.ts";
import { Providers } from "./providers.tsx";
import "./styles.css";

export const metadata: Metadata = {
  title: { default: "Bursar", template: "%s · Bursar" },
  description: shellWords.description,
};

export const viewport: Viewport = {
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#f8faf9" },
    { media: "(prefers-color-scheme: dark)", color: "#0b1012" },
  ],
};

// The configuration is of the machine that runs, not of the one that built.
export const dynamic = "force-dynamic";

export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en" className={`${GeistSans.variable} ${GeistMono.variable}`} suppressHydrationWarning>
      <body>
        <Providers config={readConfig(process.env)}>
          <Shell connect={<ConnectButton />}>{children}</Shell>
          <ConnectDialog />
        </Providers>
      </body>
    </html>
  );
}

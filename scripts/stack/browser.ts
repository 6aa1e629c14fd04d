import type { Browser } from "playwright-core";
import { installDebian } from "./debian.ts";

/**
 * Chromium without the windows around its pages: half the processor time. Where Debian's package puts it; elsewhere,
 * BURSAR_CHROMIUM says.
 */
const chromiumPath = process.env.BURSAR_CHROMIUM ?? "/usr/bin/chromium-headless-shell";

/** Installs Chromium from Debian's packages when it is missing and we may; else says what to install. */
export const installBrowser = () => installDebian("chromium-headless-shell", chromiumPath, "BURSAR_CHROMIUM");

/** Debian's Chromium, headless, without anything that would speak to the outside. */
export async function launchBrowser(): Promise<Browser> {
  // Loaded when a browser is wanted: the tests' runner only installs it.
  const { chromium } = await import("playwright-core");
  return chromium.launch({
    executablePath: chromiumPath,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

import { type Browser, chromium } from "playwright-core";

/** Debian's Chromium, headless, without anything that would speak to the outside. */
export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env.BURSAR_CHROMIUM ?? "/usr/bin/chromium",
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

/** Waits until `read` gives something else than null, and gives it back. */
export async function eventually<Found>(
  what: string,
  read: () => Promise<Found | null>,
  withinMs = 60_000,
): Promise<Found> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await read();
    if (found !== null) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

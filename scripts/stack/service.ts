import { join } from "node:path";
import { tail } from "./logs.ts";
import { type Program, untilReady } from "./process.ts";
import type { Programs } from "./programs.ts";

const root = join(import.meta.dirname, "../..");
const readyTimeoutMs = 60_000;

/** Thousands of payments are on their way at once: in a large nursery most of them die before they are ever copied. */
const nodeOptions = ["--max-semi-space-size=128"];

/** Starts the service, and with it its database; resolves when it answers. */
export async function startService(
  programs: Programs,
  options: { apiUrl: string; env: Readonly<Record<string, string>>; logFile: string },
): Promise<Program> {
  const { apiUrl, env, logFile } = options;
  const service = programs.start({
    name: "the service",
    command: process.execPath,
    args: [...nodeOptions, join(root, "offchain/main.ts")],
    env,
    logFile,
  });
  await untilReady(service, async () => (await fetch(`${apiUrl}/ready`)).ok, {
    timeoutMs: readyTimeoutMs,
    lastWords: () => tail(logFile),
  });
  return service;
}

import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface Stack {
  webUrl: string;
  apiUrl: string;
  rpcUrl: string;
  stop(): Promise<void>;
}

const root = fileURLToPath(new URL("../../..", import.meta.url));
const startWithinMs = 200_000;
const stopWithinMs = 20_000;

/**
 * Starts the whole of Bursar, chain, service and dashboard, as `npm start` does; the demo economy runs so that
 * there is something to see. With BURSAR_TEST_STACK (JSON of the three addresses) an already running one is used.
 * `scripts/start.ts --json` prints one line of JSON with `webUrl`, `apiUrl` and `rpcUrl` once all three answer.
 */
export async function startStack(): Promise<Stack> {
  const running = process.env.BURSAR_TEST_STACK;
  if (running) return { ...(JSON.parse(running) as Omit<Stack, "stop">), stop: async () => {} };
  const child = spawn(process.execPath, ["scripts/start.ts", "--json"], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1" },
  });
  try {
    return { ...(await addressesOf(child)), stop: () => stop(child) };
  } catch (error) {
    await stop(child);
    throw error;
  }
}

/** The first line of its output that is JSON and names the dashboard. */
function addressesOf(child: ChildProcess): Promise<Omit<Stack, "stop">> {
  return new Promise((resolve, reject) => {
    let output = "";
    let complaints = "";
    const timer = setTimeout(
      () => reject(new Error(`Bursar did not start within ${startWithinMs} ms:\n${complaints}`)),
      startWithinMs,
    );
    child.stdout?.on("data", (chunk: Buffer) => {
      output += chunk;
      const lines = output.split("\n");
      output = lines.pop() ?? "";
      for (const line of lines) {
        const addresses = parseAddresses(line);
        if (!addresses) continue;
        clearTimeout(timer);
        resolve(addresses);
      }
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      complaints = (complaints + chunk).slice(-4_000);
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`Bursar ended with ${code} before it was ready:\n${complaints}`));
    });
  });
}

function parseAddresses(line: string): Omit<Stack, "stop"> | null {
  if (!line.startsWith("{")) return null;
  try {
    const { webUrl, apiUrl, rpcUrl } = JSON.parse(line) as Record<string, unknown>;
    if (typeof webUrl !== "string" || typeof apiUrl !== "string" || typeof rpcUrl !== "string") return null;
    return { webUrl, apiUrl, rpcUrl };
  } catch {
    return null;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGINT");
  const timer = setTimeout(() => child.kill("SIGKILL"), stopWithinMs);
  await ended;
  clearTimeout(timer);
}

import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { startPostgres } from "#offchain/platform/database/postgres.ts";
import { beginnings } from "../../stack/progress.ts";
import { type Stack, type StackOptions, startStack } from "../../stack/stack.ts";
import { benchFolder } from "./folder.ts";

/** Apart from those of `npm start` and of the tests. */
const ports = { chain: 8_745, api: 4_720, web: 4_820 };

/** What a limit on the callers' side would only hide: the benches' callers all come from one address. */
export const unlimited = {
  BURSAR_RATE_PER_IP_PER_SECOND: "0",
  BURSAR_RATE_PER_IDENTITY_PER_SECOND: "0",
  BURSAR_STREAM_RATE_PER_SECOND: "0",
} as const;

/** Runs a bench on a chain, database and service of its own, which are stopped and removed at its end, or by Ctrl-C. */
export async function onStack<Result>(
  name: string,
  options: Pick<StackOptions, "env" | "isWebWanted">,
  run: (stack: Stack) => Promise<Result>,
): Promise<Result> {
  const dataDir = await benchFolder(name);
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort(new Error("interrupted"));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, interrupt);
  try {
    const stack = await startStack({
      dataDir,
      isWebWanted: false,
      ports,
      progress: beginnings((what) => console.error(what)),
      signal: interrupted.signal,
      ...options,
      env: { BURSAR_LOG_LEVEL: "error", ...options.env },
    });
    try {
      const died = stack.failed.then((program) => {
        throw new Error(`${program.name} ended`);
      });
      const given = Promise.withResolvers<never>();
      interrupted.signal.addEventListener("abort", () => given.reject(interrupted.signal.reason));
      return await Promise.race([run(stack), died, given.promise]);
    } finally {
      await stack.stop();
      await stopPostgres(join(dataDir, "postgres"));
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** The service leaves its server to a bench that is still connected when it is interrupted. */
async function stopPostgres(dataDir: string): Promise<void> {
  const isLeft = await stat(join(dataDir, "postmaster.pid")).catch(() => null);
  if (isLeft) await (await startPostgres({ dataDir })).stop();
}

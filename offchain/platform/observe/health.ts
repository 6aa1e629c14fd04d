import type { Clock } from "#offchain/core/clock.ts";
import { withTimeout } from "#offchain/core/pause.ts";
import { shareFresh } from "../jobs/shareFresh.ts";

/** `ok`: works. `degraded`: works, but somebody should look. `failed`: does not work. */
export type HealthStatus = "ok" | "degraded" | "failed";

export interface HealthResult {
  status: HealthStatus;
  /** Time that the check took, ms. */
  latencyMs: number;
  detail: Readonly<Record<string, string | number | boolean | null>>;
}

/** One subsystem's check: resolves to its figures, with a status when it is not simply `ok`; an error means `failed`. */
export type HealthCheck = () => Promise<{
  status?: HealthStatus;
  detail?: HealthResult["detail"];
}>;

export interface HealthReport {
  status: HealthStatus;
  /** Whether calls can be served: nothing of the whole service has failed, and on one chain at least all works. */
  isServing: boolean;
  at: number;
  checks: Record<string, HealthResult>;
}

export interface Health {
  /** Runs every check at once, each within the time limit. The whole is as bad as its worst part. */
  report(): Promise<HealthReport>;
}

const severity: Record<HealthStatus, number> = { ok: 0, degraded: 1, failed: 2 };

/** How old a report may be, ms: anybody may ask, and each run costs queries and calls of the provider. */
const freshMs = 1_000;

/** Checks by subsystem: `database`, `chain`, `indexer`, `sender`, … Simultaneous callers share one run, and so do those soon after it began. */
export function createHealth(options: {
  clock: Clock;
  timeoutMs: number;
  /** Takes secrets out of a text: anybody reads health. */
  redact?: (text: string) => string;
  checks: Readonly<Record<string, HealthCheck>>;
  /** By name of a check: the chain that it looks at. The whole service stands or falls with the others. */
  chainOf?: Readonly<Record<string, number>>;
}): Health {
  return { report: shareFresh(() => run(options), freshMs) };
}

async function run({
  clock,
  timeoutMs,
  redact = (text) => text,
  checks,
  chainOf = {},
}: Parameters<typeof createHealth>[0]): Promise<HealthReport> {
  const results = await Promise.all(
    Object.entries(checks).map(
      async ([name, check]) => [name, withoutSecrets(await timed(check, clock, timeoutMs), redact)] as const,
    ),
  );
  const status = results.reduce<HealthStatus>(
    (worst, [, result]) => (severity[result.status] > severity[worst] ? result.status : worst),
    "ok",
  );
  const failed = results.filter(([, result]) => result.status === "failed").map(([name]) => name);
  return {
    status,
    isServing: isServing(failed, chainOf),
    at: clock.now(),
    checks: Object.fromEntries(results),
  };
}

function withoutSecrets(result: HealthResult, redact: (text: string) => string): HealthResult {
  const entries = Object.entries(result.detail).map(
    ([name, told]) => [name, typeof told === "string" ? redact(told).slice(0, 300) : told] as const,
  );
  return { ...result, detail: Object.fromEntries(entries) };
}

/** A chain that fails takes the calls of others with it only when it is the last one. */
function isServing(failed: readonly string[], chainOf: Readonly<Record<string, number>>): boolean {
  const down = new Set(failed.map((name) => chainOf[name]));
  if (down.has(undefined)) return false;
  return down.size === 0 || down.size < new Set(Object.values(chainOf)).size;
}

async function timed(check: HealthCheck, clock: Clock, timeoutMs: number): Promise<HealthResult> {
  const startedAt = clock.now();
  const late = (): never => {
    throw new Error(`no answer within ${timeoutMs} ms`);
  };
  try {
    const { status = "ok", detail = {} } = await withTimeout(check(), timeoutMs, late);
    return { status, latencyMs: clock.now() - startedAt, detail };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { status: "failed", latencyMs: clock.now() - startedAt, detail: { reason } };
  }
}

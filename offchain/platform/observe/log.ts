import { type DestinationStream, type Logger, pino } from "pino";
import type { Clock } from "#offchain/core/clock.ts";
import { publicRedactor } from "./secrets.ts";

/** Structured logger: one JSON object a line. `child({ requestId })` adds fields to every line of a part. */
export type Log = Logger;

/** Fields that never reach a log, at the top of a line and one level below. */
const secrets = [
  "privateKey",
  "operatorKey",
  "mnemonic",
  "password",
  "authorization",
  "databaseUrl",
  "rpcUrl",
] as const;

/**
 * The service's logger.
 * @param options.secrets texts that are taken out of every line, wherever they stand: errors quote addresses and bodies.
 * So is what looks like a key in any address: a provider may quote its own
 * Lines carry `level` by name, `at` (epoch ms, from the clock), `service`, and whatever the child adds. bigint is written as a decimal string.
 */
export function createLog(options: {
  level: string;
  clock: Clock;
  destination?: DestinationStream;
  secrets?: readonly string[];
}): Log {
  const redact = publicRedactor(options.secrets ?? []);
  const settings = {
    level: options.level,
    base: { service: "bursar" },
    messageKey: "message",
    errorKey: "error",
    serializers: { error: pino.stdSerializers.err, err: pino.stdSerializers.err },
    timestamp: () => `,"at":${options.clock.now()}`,
    formatters: { level: (label: string) => ({ level: label }), log: withoutBigints },
    redact: { paths: secrets.flatMap((name) => [name, `*.${name}`]), censor: "(redacted)" },
    hooks: { streamWrite: redact },
  };
  return options.destination ? pino(settings, options.destination) : pino(settings);
}

function withoutBigints(fields: Record<string, unknown>): Record<string, unknown> {
  if (!Object.values(fields).some((value) => typeof value === "bigint")) return fields;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === "bigint" ? `${value}` : value]),
  );
}

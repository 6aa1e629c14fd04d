import { randomUUID } from "node:crypto";
import { migrations } from "#offchain/app/migrations.ts";
import { BursarError } from "#offchain/core/error.ts";
import { openLedger } from "#offchain/features/ledger/ledger.ts";
import type { LedgerOperation } from "#offchain/features/ledger/rules/transfer.ts";
import { openDatabase } from "#offchain/platform/database/database.ts";

/**
 * Callers that hold and post without end, as a process that a test may kill. Every line on its output is an answer that
 * one of them was given: `hold <key> <transfer>` or `post <key> <transfer>`.
 */
const { connection, callers, name } = JSON.parse(process.argv[2] ?? "{}") as {
  connection: { host: string; port: number; database: string; username: string };
  callers: number;
  name: string;
};
const sql = await openDatabase({ connection, maxConnections: 4, migrations });
const ledger = openLedger(sql, { now: () => Date.now() });

/** The database may be away for longer than a caller is let wait: the same is sent again under the same key. */
async function durable(operation: LedgerOperation): Promise<string> {
  for (;;) {
    const [outcome] = await ledger.submit([operation]).catch((error: unknown) => {
      if (error instanceof BursarError && error.code === "STORE_UNAVAILABLE") return [];
      throw error;
    });
    if (outcome?.ok) return outcome.transfer.id;
    if (outcome) throw outcome.error;
  }
}

async function caller(): Promise<void> {
  for (;;) {
    const from = Math.floor(Math.random() * 20);
    const to = (from + 1 + Math.floor(Math.random() * 19)) % 20;
    const key = `${name}:${randomUUID()}`;
    const parties = { debit: `agent:${from}`, credit: `agent:${to}` } as const;
    const transferId = await durable({ kind: "hold", key, ...parties, unit: "USDC", amount: 1n });
    process.stdout.write(`hold ${key} ${transferId}\n`);
    await durable({ kind: "post", key: `${key}:p`, transferId });
    process.stdout.write(`post ${key}:p ${transferId}\n`);
  }
}

await Promise.all(Array.from({ length: callers }, caller));

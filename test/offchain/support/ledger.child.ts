import { randomUUID } from "node:crypto";
import { migrations } from "#offchain/app/migrations.ts";
import { openLedger } from "#offchain/features/ledger/ledger.ts";
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

async function caller(): Promise<void> {
  for (;;) {
    const from = Math.floor(Math.random() * 20);
    const to = (from + 1 + Math.floor(Math.random() * 19)) % 20;
    const key = `${name}:${randomUUID()}`;
    const [held] = await ledger.submit([
      { kind: "hold", key, debit: `agent:${from}`, credit: `agent:${to}`, unit: "USDC", amount: 1n },
    ]);
    if (!held?.ok) throw held?.error ?? new Error("no outcome");
    process.stdout.write(`hold ${key} ${held.transfer.id}\n`);
    const [posted] = await ledger.submit([{ kind: "post", key: `${key}:p`, transferId: held.transfer.id }]);
    if (!posted?.ok) throw posted?.error ?? new Error("no outcome");
    process.stdout.write(`post ${key}:p ${held.transfer.id}\n`);
  }
}

await Promise.all(Array.from({ length: callers }, caller));

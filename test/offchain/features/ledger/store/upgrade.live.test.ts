import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { verifyRules } from "#offchain/features/ledger/store/verifyRules.ts";
import { verifyTransfers } from "#offchain/features/ledger/store/verifyTransfers.ts";
import { startTestServer } from "../../../support/database.ts";

const folder = new URL("../../../../../offchain/features/ledger/migrations/", import.meta.url);
const migration = (name: string) => readFile(new URL(name, folder), "utf8");

test("a ledger from before is whole after the migration, and what stood in it is bound from then on", async () => {
  const server = await startTestServer();
  const database = await server.create();
  await database.sql.begin(async (tx) => {
    await tx.unsafe("CREATE SCHEMA old; SET LOCAL search_path = old");
    await tx.unsafe(await migration("0001_ledger.sql"));
    await tx.unsafe(await migration("0002_schedule_fairness.sql"));
    // One transfer whose key is forgotten already, one with its key, and a hold that is pending.
    await tx.unsafe(`
      INSERT INTO account (id, name, unit, external, suspended_at, limit_daily) VALUES
        (1, 'issuer:x', 'USDC', true, NULL, NULL), (2, 'agent:a', 'USDC', false, 5, 100), (3, 'agent:b', 'USDC', false, NULL, NULL);
      INSERT INTO transfer (id, key, unit, debit, credit, amount, created_at) VALUES
        (1, 'k1', 'USDC', 1, 2, 9, 10), (2, 'k2', 'USDC', 1, 2, 9, 20), (3, 'k3', 'USDC', 2, 3, 1, 30);
      INSERT INTO journal VALUES (1, 'USDC', 1, 1, 2, 9, 1, -9, 1, 9, 10, ''), (2, 'USDC', 2, 1, 2, 9, 2, -18, 2, 18, 20, '');
      INSERT INTO ledger_key VALUES
        (half_digest('k2'), half_digest('transfer|issuer:x|agent:a|USDC|9|||---'), 2, 20),
        (half_digest('k3'), half_digest('hold|agent:a|agent:b|USDC|1|||---'), 3, 30);
      UPDATE ledger_head SET last_transfer = 3, last_account = 3`);
    await tx.unsafe(await migration("0003_bound_by_hashes.sql"));
    expect(await verifyTransfers(tx, [])).toBeNull();
    expect(await verifyRules(tx)).toBeNull();

    await tx.unsafe("UPDATE account SET suspended_at = NULL WHERE id = 2");
    expect(await verifyRules(tx)).toMatchObject({ what: "rule", unit: "account USDC agent:a" });
    await tx.unsafe("DELETE FROM ledger_key WHERE transfer_id = 2");
    expect(await verifyTransfers(tx, [])).toMatchObject({ what: "key", transferId: "2", why: "missing" });
  });
  await database.close();
  await server.stop();
});

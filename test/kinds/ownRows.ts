import { keccak256, toHex } from "viem";
import { openLedger } from "#offchain/features/ledger/ledger.ts";
import { type AccountName, agentAccount } from "#offchain/features/ledger/rules/transfer.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { account, contracts } from "../offchain/support/stack.ts";

const clock = { now: () => Date.now() };
const word = "decode(lpad(to_hex($base + i), 64, '0'), 'hex')";
const token = `decode('${contracts.TestUSDC.slice(2)}', 'hex')`;
const treasury = `decode('${contracts.Treasury.slice(2)}', 'hex')`;
/** `TestUSDC.approve`, which is told in words. */
const data = `0x095ea7b3${"0".repeat(24)}${"11".repeat(20)}${"0".repeat(63)}1`;

/** Rows of lists that `addRows` leaves short: proposals, snapshots and anchors, as if so many had been made. */
const statements = [
  `INSERT INTO proposal (run_id, treasury, proposal_id, proposer, nonce, deadline_s, threshold, reference, calls, opened_at,
     opened_transaction)
   SELECT $run, ${treasury}, ${word}, decode(repeat('11', 20), 'hex'), 100000 + i, 2000000000, 2, ${word},
     jsonb_build_array(jsonb_build_object('to', '${contracts.TestUSDC}', 'value', '0', 'data', '${data}')), i, ${word}
   FROM $rows`,
  `WITH taken AS (
     INSERT INTO solvency_snapshot (run_id, block_number, block_hash, taken_at)
     SELECT $run, i, ${word}, i FROM $rows RETURNING id)
   INSERT INTO solvency_report (snapshot_id, chain_id, unit, token, parts, obligations, holdings, holders, depth, root, previous)
   SELECT id, 31337, 'USDC', ${token}, '{0,0,0,0,0}', 0, 0, '[]', 0, ${word.replace("i", "id")}, ${word.replace("i", "id - 1")}
   FROM taken`,
  `INSERT INTO ledger_anchor (run_id, epoch, anchored_root, anchored_at, transaction_hash)
   -- The next one that is anchored takes the number after the last.
   SELECT $run, 1000000 + i * 1000, ${word}, i, ${word} FROM $rows`,
];

/** Adds rows `from` to `to` to these, and as many transfers, holds and schedules of one agent. */
export async function addOwnRows(sql: Sql, agent: `0x${string}`, from: number, to: number): Promise<void> {
  const [run] = await sql<{ id: bigint }[]>`SELECT id FROM chain_run WHERE ended_at IS NULL`;
  for (const statement of statements)
    await sql.unsafe(
      statement
        .replaceAll("$rows", `generate_series(${from}, ${to}) AS i`)
        .replaceAll("$run", String(run?.id))
        .replaceAll("$base", "1000000000"),
    );
  const ledger = openLedger(sql, clock);
  const [own, other] = [agentAccount(agent), agentAccount(account(5).address)];
  const keys = Array.from({ length: to - from + 1 }, (_, at) => `own ${from + at}`);
  const movement = { unit: "USDC", amount: 1n, debit: own, credit: other } as const;
  const issuer: AccountName = "issuer:USDC";
  const issues = keys.map(
    (key) => ({ ...movement, kind: "transfer", key, debit: issuer, credit: own }) as const,
  );
  const holds = keys.map((key) => ({ ...movement, kind: "hold", key: `hold ${key}` }) as const);
  const outcomes = [...(await ledger.submit(issues)), ...(await ledger.submit(holds))];
  const refused = outcomes.find((outcome) => !outcome.ok);
  if (refused) throw new Error("the agent's rows were refused", { cause: refused });
  const request = keccak256(toHex("own rows")).slice(2, 34);
  await sql`
    INSERT INTO ledger_schedule (owner, key, request, debit, credit, unit, amount, runs_max, next_at, created_at)
    SELECT ${own}, 'own ' || i, ${request}::uuid, ${own}, ${other}, 'USDC', 1, 1, 9000000000000, 0
    FROM generate_series(${from}::int, ${to}::int) AS i`;
  await sql`ANALYZE`;
}

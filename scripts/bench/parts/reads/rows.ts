import { toEventSelector } from "viem";
import type { Sql } from "#offchain/platform/database/database.ts";
import { contracts } from "../../../soak/wallets.ts";

const transfer = toEventSelector(
  "event Transfer(address indexed from, address indexed to, uint256 value)",
).slice(2);

/** Whom the sample of an address means: every other row is of this party, the others are of as many others. */
const party = "decode(repeat('11', 20), 'hex')";
const stranger = "decode(lpad(to_hex(i), 40, '0'), 'hex')";
const eitherOne = `CASE WHEN i % 2 = 0 THEN ${party} ELSE ${stranger} END`;
/** Of channels the party has few: its own are read for its lists. */
const fewTimes = eitherOne.replace("i % 2 = 0", "i < 6000 AND i % 300 = 0");
const word = "decode(lpad(to_hex(i), 64, '0'), 'hex')";

/** Statements that add rows `from` to `to` to what strangers can make grow; `i` is the row, `$run` the chain's run. */
const statements = [
  `INSERT INTO agent (address, name, role, registered_at) SELECT ${stranger}, 'agent ' || i, 'worker', i FROM $rows`,
  `INSERT INTO chain_block (run_id, sequence, number, hash, parent_hash, block_at, event_count)
   SELECT $run, 1000000 + i, 1000000 + i, ${word}, ${word}, i, 1 FROM $rows`,
  `INSERT INTO chain_event (run_id, sequence, log_index, transaction_index, transaction_hash, address, topics, data)
   SELECT $run, 1000000 + i, 0, 0, ${word}, decode('${contracts.TestUSDC.slice(2)}', 'hex'),
          decode('${transfer}', 'hex') || ${word} || ${word}, ${word} FROM $rows`,
  `INSERT INTO channel (run_id, channel_id, payer, payer_authorizer, receiver, receiver_authorizer, token, withdraw_delay,
     salt, balance, opened_at)
   SELECT $run, ${word}, ${stranger}, ${stranger}, ${fewTimes}, ${stranger}, ${stranger}, 900, ${word}, 10, i FROM $rows`,
  `UPDATE channel SET accepted = 10, claimed = 10 FROM $rows WHERE channel_id = ${word} AND i < 6000 AND i % 300 < 2`,
  `INSERT INTO batch (run_id, state, payments, value, opened_at, settled_at)
   SELECT $run, 'settled', 100, 1000, i, i FROM $rows WHERE i % 100 = 1`,
  `INSERT INTO payment (channel, key, cumulative, amount, signature, batch_id, transfer_id, accepted_at, payee, credited,
     epoch, office)
   SELECT c.id, 'k' || i, 100 + i, 1, '', b.id, i::text, i, p.payee, p.credited, p.epoch, p.office
   FROM $rows CROSS JOIN LATERAL (SELECT ${eitherOne} AS payee, i::numeric AS credited, 1 AS epoch, 0 AS office
     WHERE i % 3 = 0 UNION ALL SELECT NULL, NULL, NULL, NULL WHERE i % 3 > 0) p,
   (SELECT id FROM channel WHERE run_id = $run AND accepted > 0 ORDER BY id LIMIT 1) c,
   batch b WHERE b.opened_at = i - (i + 99) % 100`,
  `INSERT INTO clearing_payee (run_id, payee, credited, credited_at, assigned)
   SELECT $run, ${stranger}, 1, i, 1 FROM $rows`,
  `INSERT INTO clearing_row (run_id, number, payee, total, place) SELECT $run, 1, ${stranger}, 1, i FROM $rows`,
  `INSERT INTO footprint_sum SELECT w.worker, d.dimension, d.value, 1, 1, 1, i, 1 FROM $rows
   CROSS JOIN LATERAL (VALUES (${stranger})) w(worker)
   CROSS JOIN LATERAL (VALUES ('all', ''), ('region', 'DE'), ('hour', '0')) d(dimension, value)`,
  `INSERT INTO footprint_sum SELECT ${party}, 'hour', i::text, 1, 1, 1, i, 1 FROM $rows`,
  `INSERT INTO account (id, name, unit, external, opened_at)
   SELECT 1000000 + i, 'agent:0x' || encode(${stranger}, 'hex'), 'USDC', false, i FROM $rows`,
  `INSERT INTO society (id, created_at) SELECT 'society ' || i, i FROM $rows`,
  `INSERT INTO seen_request (digest, ends_at) SELECT ${word}, 9000000000000 FROM $rows`,
];

/** Makes the tables longer by rows `from` to `to`, without the services' help: as if so many strangers had been here. */
export async function addRows(sql: Sql, from: number, to: number): Promise<void> {
  const [run] = await sql<{ id: bigint }[]>`SELECT id FROM chain_run WHERE ended_at IS NULL`;
  await sql.begin(async (tx) => {
    for (const statement of statements)
      await tx.unsafe(
        statement
          .replaceAll("$rows", `generate_series(${from}, ${to}) AS i`)
          .replaceAll("$run", String(run?.id)),
      );
  });
  await sql`ANALYZE`;
}

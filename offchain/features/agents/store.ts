import { addressOf, bytesOf, list } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";

/** An agent as the table holds it. */
export interface StoredAgent {
  id: bigint;
  address: `0x${string}`;
  name: string;
  role: string;
  registeredAt: number;
  suspended: boolean;
}

interface Row {
  id: bigint;
  address: Uint8Array;
  name: string;
  role: string;
  registered_at: bigint;
  suspended_at: bigint | null;
}

const toAgent = ({ id, address, name, role, registered_at, suspended_at }: Row): StoredAgent => ({
  id,
  address: addressOf(address),
  name,
  role,
  registeredAt: Number(registered_at),
  suspended: suspended_at !== null,
});

/** Stores the agent; again with the same address changes name and role only. */
export async function saveAgent(
  sql: Sql,
  { address, name, role }: { address: `0x${string}`; name: string; role: string },
  now: number,
): Promise<StoredAgent> {
  const [row] = await sql<Row[]>`
    INSERT INTO agent (address, name, role, registered_at) VALUES (${bytesOf(address)}, ${name}, ${role}, ${now})
    ON CONFLICT (address) DO UPDATE SET name = excluded.name, role = excluded.role
    RETURNING *`;
  if (!row) throw new Error("registering an agent returned no row");
  return toAgent(row);
}

export async function findAgent(sql: Sql, address: `0x${string}`): Promise<StoredAgent | null> {
  const [row] = await sql<Row[]>`SELECT * FROM agent WHERE address = ${bytesOf(address)}`;
  return row ? toAgent(row) : null;
}

/** Suspends the agent, or lifts it; since when it is suspended stays as it was. */
export async function setSuspended(
  sql: Sql,
  { address, isSuspended }: { address: `0x${string}`; isSuspended: boolean },
  now: number,
): Promise<StoredAgent | null> {
  const [row] = await sql<Row[]>`
    UPDATE agent SET suspended_at = CASE WHEN ${isSuspended} THEN coalesce(suspended_at, ${now}) END
    WHERE address = ${bytesOf(address)} RETURNING *`;
  return row ? toAgent(row) : null;
}

/** By time of registration. @param after the id of the last one already seen */
export async function listAgents(sql: Sql, after: bigint, limit: number): Promise<StoredAgent[]> {
  const rows = await sql<Row[]>`SELECT * FROM agent WHERE id > ${after} ORDER BY id LIMIT ${limit}`;
  return rows.map(toAgent);
}

/** The names of the registered ones among `addresses`, by lower-case address. */
export async function agentNames(sql: Sql, addresses: readonly string[]): Promise<Map<string, string>> {
  const rows = await sql<{ address: Uint8Array; name: string }[]>`
    SELECT address, name FROM agent WHERE address = ANY(${list(addresses.map(bytesOf))}::text[]::bytea[])`;
  return new Map(rows.map(({ address, name }) => [addressOf(address).toLowerCase(), name]));
}

/** The registered ones among `addresses`, lower-case, with whether they are suspended. */
export async function knownAgents(
  sql: Sql | Tx,
  addresses: readonly string[],
): Promise<Map<string, boolean>> {
  const rows = await sql<{ address: Uint8Array; suspended: boolean }[]>`
    SELECT address, suspended_at IS NOT NULL AS suspended FROM agent
    WHERE address = ANY(${list(addresses.map(bytesOf))}::text[]::bytea[])`;
  return new Map(rows.map(({ address, suspended }) => [addressOf(address).toLowerCase(), suspended]));
}

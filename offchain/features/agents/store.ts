import type { Clock } from "#offchain/core/clock.ts";
import { addressOf, bytesOf, list } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { Agent, Agents } from "./service.ts";

interface Row {
  id: bigint;
  address: Uint8Array;
  name: string;
  role: string;
  registered_at: bigint;
  suspended_at: bigint | null;
}

/** The registered agents. @param chainId names their DIDs (did:pkh over CAIP-10). */
export function openAgents(sql: Sql, clock: Clock, chainId: number): Agents {
  const view = (row: Row): Agent => {
    const address = addressOf(row.address);
    return {
      address,
      did: `did:pkh:eip155:${chainId}:${address}`,
      name: row.name,
      role: row.role,
      registeredAt: Number(row.registered_at),
      suspended: row.suspended_at !== null,
    };
  };
  return {
    async register({ address, name, role }) {
      const [row] = await sql<Row[]>`
        INSERT INTO agent (address, name, role, registered_at) VALUES (${bytesOf(address)}, ${name}, ${role}, ${clock.now()})
        ON CONFLICT (address) DO UPDATE SET name = excluded.name, role = excluded.role
        RETURNING *`;
      if (!row) throw new Error("registering an agent returned no row");
      return view(row);
    },
    async get(address) {
      const [row] = await sql<Row[]>`SELECT * FROM agent WHERE address = ${bytesOf(address)}`;
      return row ? view(row) : null;
    },
    async list({ cursor, limit }) {
      const rows = await sql<
        Row[]
      >`SELECT * FROM agent WHERE id > ${cursor ?? "0"} ORDER BY id LIMIT ${limit}`;
      const last = rows.at(-1);
      return { items: rows.map(view), next: last && rows.length === limit ? last.id.toString() : null };
    },
    async names() {
      const rows = await sql<{ address: Uint8Array; name: string }[]>`SELECT address, name FROM agent`;
      return new Map(rows.map(({ address, name }) => [addressOf(address).toLowerCase(), name]));
    },
  };
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

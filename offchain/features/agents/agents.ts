import type { Clock } from "#offchain/core/clock.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { didOf, shownName } from "./rules.ts";
import type { Agent, Agents } from "./service.ts";
import {
  agentNames,
  findAgent,
  knownAgents,
  listAgents,
  type StoredAgent,
  saveAgent,
  setSuspended,
} from "./store.ts";

/** Of a stored name that may not be shown; no agent can choose it, for its brackets. */
const unnamed = "(unnamed)";

/** The registered agents. @param chainId names their DIDs */
export function openAgents(sql: Sql, clock: Clock, chainId: number): Agents {
  const view = ({ address, name, role, registeredAt, suspended }: StoredAgent): Agent => ({
    address,
    did: didOf(chainId, address),
    name: shownName(name) ?? unnamed,
    role: shownName(role) ?? unnamed,
    registeredAt,
    suspended,
  });
  return {
    register: async (agent) => view(await saveAgent(sql, agent, clock.now())),
    async get(address) {
      const found = await findAgent(sql, address);
      return found && view(found);
    },
    async suspend(address, isSuspended) {
      const found = await setSuspended(sql, { address, isSuspended }, clock.now());
      return found && view(found);
    },
    async list({ cursor, limit }) {
      const found = await listAgents(sql, cursor ?? 0n, limit);
      return {
        items: found.map(view),
        next: found.length === limit ? (found.at(-1)?.id.toString() ?? null) : null,
      };
    },
    async names(addresses) {
      const stored = await agentNames(sql, addresses);
      return new Map(
        [...stored].flatMap(([address, name]) => {
          const shown = shownName(name);
          return shown === null ? [] : [[address, shown] as const];
        }),
      );
    },
    known: (addresses, tx = sql) => knownAgents(tx, addresses),
  };
}

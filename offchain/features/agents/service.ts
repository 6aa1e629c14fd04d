import type { z } from "zod";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { agent } from "./schema.ts";

export type Agent = z.input<typeof agent>;

export interface Agents {
  /** Stores the agent; again with the same address changes name and role only. */
  register(agent: { address: `0x${string}`; name: string; role: string }): Promise<Agent>;
  get(address: `0x${string}`): Promise<Agent | null>;
  /** Suspends the agent, or lifts it; null when nobody is registered by the address. */
  suspend(address: `0x${string}`, isSuspended: boolean): Promise<Agent | null>;
  list(query: {
    cursor?: bigint | undefined;
    limit: number;
  }): Promise<{ items: Agent[]; next: string | null }>;
  /**
   * The names that the registered ones among `addresses` chose for themselves, by lower-case address. Whoever shows one
   * to people quotes it and shows the address beside it: two may have the same.
   */
  names(addresses: readonly string[]): Promise<Map<string, string>>;
  /**
   * The registered ones among `addresses`, lower-case, with whether they are suspended.
   * @param tx the caller's transaction, if it must see what that sees
   */
  known(addresses: readonly string[], tx?: Sql | Tx): Promise<Map<string, boolean>>;
}

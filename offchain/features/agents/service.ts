import type { z } from "zod";
import type { agent } from "./actions/schema.ts";

export type Agent = z.input<typeof agent>;

export interface Agents {
  /** Stores the agent; again with the same address changes name and role only. */
  register(agent: { address: `0x${string}`; name: string; role: string }): Promise<Agent>;
  get(address: `0x${string}`): Promise<Agent | null>;
  list(query: {
    cursor?: string | undefined;
    limit: number;
  }): Promise<{ items: Agent[]; next: string | null }>;
  /** Names by lower-case address, for pages that show who is who. */
  names(): Promise<Map<string, string>>;
}

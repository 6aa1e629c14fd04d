import type { Clock } from "#offchain/core/clock.ts";
import { formatAmount } from "#offchain/core/unit.ts";
import type { ChainView } from "#offchain/platform/chain/port.ts";
import { hexOf } from "#offchain/platform/database/bytes.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import type { Bus } from "#offchain/platform/observe/bus.ts";
import type { Rate } from "#offchain/platform/observe/rate.ts";

/** Tells the live stream what changed since it was last told: payments, batches, proposals, blocks. */
export class Announcer {
  private readonly sql: Sql;
  private readonly bus: Bus;
  private readonly clock: Clock;
  private readonly view: ChainView;
  private readonly rate: Rate;
  private accepted = { count: 0, value: 0n };
  private indexedTo = -1n;
  private states = new Map<string, string>();

  constructor(options: { sql: Sql; bus: Bus; clock: Clock; view: ChainView; rate: Rate }) {
    this.sql = options.sql;
    this.bus = options.bus;
    this.clock = options.clock;
    this.view = options.view;
    this.rate = options.rate;
  }

  /** Payments are told in sums, not one by one: a page cannot draw thousands a second. */
  paid(count: number, value: bigint): void {
    this.rate.add(count);
    this.accepted.count += count;
    this.accepted.value += value;
  }

  async announce(): Promise<void> {
    const at = this.clock.now();
    const { count, value } = this.accepted;
    if (count > 0) {
      this.accepted = { count: 0, value: 0n };
      const money = { amount: formatAmount(value, "USDC"), unit: "USDC" as const };
      this.bus.publish({ type: "payments", count, value: money, perSecond: this.rate.perSecond(), at });
    }
    const { head, indexedTo } = this.view.status();
    if (indexedTo !== this.indexedTo) {
      this.indexedTo = indexedTo;
      this.bus.publish({ type: "block", head: head.toString(), indexedTo: indexedTo.toString(), at });
    }
    await this.announceStates(at);
  }

  private async announceStates(at: number): Promise<void> {
    const rows = await this.sql<
      { kind: "batch" | "proposal"; id: string; hash: Uint8Array | null; state: string }[]
    >`
      (SELECT 'batch' AS kind, id::text, NULL::bytea AS hash, state FROM batch ORDER BY id DESC LIMIT 50)
      UNION ALL
      (SELECT 'proposal', p.id::text, p.proposal_id, p.state || ':' || (
         SELECT count(*) FROM proposal_approval a WHERE a.proposal_id = p.proposal_id AND a.epoch_id = p.epoch_id)
       FROM proposal p ORDER BY p.id DESC LIMIT 50)`;
    const before = this.states;
    this.states = new Map(rows.map(({ kind, id, state }) => [`${kind} ${id}`, state]));
    if (before.size === 0) return;
    for (const { kind, id, hash, state } of rows) {
      if (before.get(`${kind} ${id}`) === state) continue;
      if (kind === "batch") this.bus.publish({ type: "batch", batchId: id, state, at });
      else if (hash)
        this.bus.publish({
          type: "proposal",
          proposalId: hexOf(hash),
          state: state.split(":")[0] ?? state,
          at,
        });
    }
  }
}

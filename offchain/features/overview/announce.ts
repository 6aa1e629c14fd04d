import type { Clock } from "#offchain/core/clock.ts";
import { formatAmount, type UnitCode } from "#offchain/core/unit.ts";
import type { Payments } from "#offchain/features/payments/service.ts";
import type { Treasuries } from "#offchain/features/treasury/service.ts";
import type { ChainView } from "#offchain/platform/chain/port.ts";
import type { Bus } from "#offchain/platform/observe/bus.ts";
import type { Rate } from "#offchain/platform/observe/rate.ts";

/** The newest batches and proposals whose changes are told. */
const watched = 50;

interface AnnouncerOptions {
  bus: Bus;
  clock: Clock;
  view: ChainView;
  rate: Rate;
  payments: { figures: Pick<Payments["figures"], "recentBatches"> };
  treasury: Pick<Treasuries, "recentProposals">;
}

/** Tells the live stream what changed since it was last told: payments, batches, proposals, blocks. */
export class Announcer {
  private readonly bus: Bus;
  private readonly clock: Clock;
  private readonly view: ChainView;
  private readonly rate: Rate;
  private readonly payments: AnnouncerOptions["payments"];
  private readonly treasury: AnnouncerOptions["treasury"];
  /** By unit. */
  private accepted = new Map<UnitCode, { count: number; value: bigint }>();
  private indexedTo = -1n;
  private states = new Map<string, string>();

  constructor(options: AnnouncerOptions) {
    this.bus = options.bus;
    this.clock = options.clock;
    this.view = options.view;
    this.rate = options.rate;
    this.payments = options.payments;
    this.treasury = options.treasury;
  }

  /** Payments are told in sums, not one by one: a page cannot draw thousands a second. */
  paid(count: number, value: bigint, unit: UnitCode): void {
    this.rate.add(count);
    const before = this.accepted.get(unit) ?? { count: 0, value: 0n };
    this.accepted.set(unit, { count: before.count + count, value: before.value + value });
  }

  async announce(): Promise<void> {
    const at = this.clock.now();
    const { accepted } = this;
    this.accepted = new Map();
    for (const [unit, { count, value }] of accepted) {
      const money = { amount: formatAmount(value, unit), unit };
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
    const [batches, proposals] = await Promise.all([
      this.payments.figures.recentBatches(watched),
      this.treasury.recentProposals(watched),
    ]);
    const now = [
      ...batches.map(({ batchId, state }) => ({
        key: `batch ${batchId}`,
        standing: state,
        event: { type: "batch", batchId, state, at },
      })),
      ...proposals.map(({ proposalId, state, approvals }) => ({
        key: `proposal ${proposalId}`,
        // Every approval is told, though the state stays.
        standing: `${state}:${approvals}`,
        event: { type: "proposal", proposalId, state, at },
      })),
    ];
    const before = this.states;
    this.states = new Map(now.map(({ key, standing }) => [key, standing]));
    if (before.size === 0) return;
    for (const { key, standing, event } of now) if (before.get(key) !== standing) this.bus.publish(event);
  }
}

import type { Machines } from "./machines.ts";

/** What happened so far, in numbers. */
export class Tally {
  /** By deed, by outcome. */
  readonly deeds: Record<string, Record<string, number>> = {};
  readonly faults: Record<string, number> = {};
  withdrawals = 0;
  #last = { at: 0, done: 0 };

  count(deed: string, outcome: string): void {
    this.deeds[deed] ??= {};
    const outcomes = this.deeds[deed];
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }

  fault(name: string): void {
    this.faults[name] = (this.faults[name] ?? 0) + 1;
  }

  line(elapsedMs: number, { rpc }: Pick<Machines, "rpc">): string {
    const done = this.#sum((outcome) => outcome === "done");
    const perSecond = ((done - this.#last.done) * 1_000) / (elapsedMs - this.#last.at);
    this.#last = { at: elapsedMs, done };
    const of = (deed: string) => this.deeds[deed]?.done ?? 0;
    const faults = Object.entries(this.faults).map(([name, count]) => `${name} ${count}`);
    return [
      `${Math.round(elapsedMs / 1_000)} s`.padStart(6),
      `payments ${of("pay")}, transfers ${of("transfer")}, opened ${of("open")}, topped up ${of("top up")}`,
      `refunds ${of("refund") + of("close")}, withdrawals ${of("withdraw")}`,
      `${perSecond.toFixed(0)}/s`,
      `refused ${this.#sum((outcome) => outcome !== "done" && outcome !== "unanswered")}`,
      `unanswered ${this.#sum((outcome) => outcome === "unanswered")}`,
      `faults: ${faults.join(", ") || "none"}, calls to the chain lost ${rpc.failed}`,
    ].join(" | ");
  }

  summary() {
    return { deeds: this.deeds, faults: this.faults, withdrawalsEnded: this.withdrawals };
  }

  #sum(isCounted: (outcome: string) => boolean): number {
    return Object.values(this.deeds)
      .flatMap((outcomes) => Object.entries(outcomes))
      .reduce((sum, [outcome, count]) => sum + (isCounted(outcome) ? count : 0), 0);
  }
}

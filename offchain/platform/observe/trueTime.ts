import type { Clock } from "#offchain/core/clock.ts";
import type { HealthCheck } from "./health.ts";

/** Somebody else who knows the time: the database, or a public chain by its newest block. */
export interface TimeWitness {
  readonly name: string;
  /** Epoch ms. One that does not answer says nothing for or against the clock. */
  now(): Promise<number>;
  /** How far it may differ at most, ms, where that is less than is set for all. */
  readonly boundMs?: number;
}

/** For so long a verdict is believed, unless the clock is moved meanwhile. */
const believedMs = 5_000;

/**
 * Whether this process's clock may be believed. What is deleted, given up or paid because its time has come waits
 * while it may not: a clock that is ahead for a minute must not make anything happen twice.
 */
export class TrueTime {
  readonly #clock: Clock;
  readonly #boundMs: number;
  readonly #witnesses: readonly TimeWitness[];
  #verdict: { fault: string | null; clockAt: number; at: number } | null = null;

  constructor(clock: Clock, boundMs: number, witnesses: readonly TimeWitness[]) {
    this.#clock = clock;
    this.#boundMs = boundMs;
    this.#witnesses = witnesses;
  }

  /** Who contradicts the clock, in words; null when nobody does. */
  async fault(): Promise<string | null> {
    const known = this.#verdict;
    const sinceMs = known ? performance.now() - known.at : believedMs;
    const isMoved = known !== null && Math.abs(this.#clock.now() - known.clockAt - sinceMs) > this.#boundMs;
    if (known && sinceMs < believedMs && !isMoved) return known.fault;
    const answers = await Promise.all(this.#witnesses.map((witness) => this.#ask(witness)));
    const fault = answers.find((answer) => answer !== null) ?? null;
    this.#verdict = { fault, clockAt: this.#clock.now(), at: performance.now() };
    return fault;
  }

  /** Its part of `/health`. */
  readonly check: HealthCheck = async () => {
    const problem = await this.fault();
    return problem === null ? {} : { status: "degraded", detail: { problem } };
  };

  async #ask({ name, now, boundMs = this.#boundMs }: TimeWitness): Promise<string | null> {
    const theirs = await now().catch(() => null);
    if (theirs === null) return null;
    const aheadMs = Math.round(this.#clock.now() - theirs);
    if (Math.abs(aheadMs) <= Math.min(boundMs, this.#boundMs)) return null;
    return `this machine's clock is ${Math.abs(aheadMs)} ms ${aheadMs > 0 ? "ahead of" : "behind"} ${name}'s: nothing is forgotten, nothing expires and no schedule runs until they agree`;
  }
}

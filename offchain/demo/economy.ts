import { setTimeout as pause } from "node:timers/promises";
import { BursarError } from "#offchain/core/error.ts";
import type { Agent } from "#offchain/sdk/agent.ts";
import type { PayingChannel } from "#offchain/sdk/paying/payingChannel.ts";
import type { States } from "#offchain/sdk/states.ts";
import { allotterIndex, cast, partnersOf } from "./cast.ts";
import { labour } from "./labour.ts";
import { type Ask, askAt, type Step, stepAt } from "./plan.ts";
import { charge, type PowerOptions } from "./power.ts";

export interface EconomyOptions {
  /** In the order of the cast. */
  agents: readonly Agent[];
  states: States;
  seed: number;
  /** Tells this chain's life from another's in idempotency keys and channels. */
  life: string;
  /**
   * `cleared`: each agent has one deposit, and pays any other from it. `direct`: it has a channel to each of its partners.
   */
  settlement: "cleared" | "direct";
  /** Payments per second; 0 is as fast as it goes. */
  rate: number;
  /** Stop after this many payments in all; null goes on until the signal. */
  payments: number | null;
  power: PowerOptions;
  signal: AbortSignal;
  onProgress: (progress: Progress) => void;
}

/** What has happened in this run of the process. */
export interface Progress {
  /** Payments since the demo began, earlier runs included. */
  payments: number;
  payers: number;
  payees: number;
  proposalsAsked: number;
  spendsAsked: number;
  spendsRefused: number;
  topUps: number;
}

interface Line {
  channel: PayingChannel;
  payer: number;
  /** Null for the line by which an agent pays everybody. */
  payee: number | null;
  topUps: number;
  tail: Promise<void>;
}

const depositUsdc = { cleared: "6", direct: "2" };
const inFlightMax = 16;
const keepEvery = 50;
const progressName = "progress";

/**
 * Plays the plan: for each step the seller works with a ticket, the buyer accepts and pays. Steps of one channel follow
 * each other, others overlap. Killed anywhere and started again it goes on: every call has its key, and the plan is a
 * function of the seed alone.
 */
export async function runEconomy(options: EconomyOptions): Promise<Progress> {
  return new Economy(options).run();
}

class Economy {
  readonly #options: EconomyOptions;
  readonly #lines = new Map<string, Line>();
  readonly #done = new Set<number>();
  readonly #running = new Set<Promise<void>>();
  readonly #payers = new Set<number>();
  readonly #payees = new Set<number>();
  readonly #counts = { proposalsAsked: 0, spendsAsked: 0, spendsRefused: 0, topUps: 0 };
  /** Every step below is done. */
  #next = 0;
  #failure: { error: unknown } | null = null;

  constructor(options: EconomyOptions) {
    this.#options = options;
  }

  async run(): Promise<Progress> {
    const { states, payments, signal } = this.#options;
    const kept = (await states.load(progressName)) as { next: number } | null;
    this.#next = kept?.next ?? 0;
    await this.#openLines();
    const [startedAt, first] = [performance.now(), this.#next];
    for (let index = first; payments === null || index < payments; index += 1) {
      await this.#paced(startedAt, index - first);
      while (this.#running.size >= inFlightMax) await Promise.race(this.#running);
      if (signal.aborted || this.#failure) break;
      this.#begin(index);
    }
    await Promise.all(this.#running);
    await this.#keep();
    if (this.#failure && !signal.aborted) throw this.#failure.error;
    return this.#progress();
  }

  async #openLines(): Promise<void> {
    const { agents, life, states, settlement } = this.#options;
    if (agents.length < cast.length)
      throw new RangeError(`the cast has ${cast.length} agents, ${agents.length} are here`);
    const opened = cast.flatMap((_, payer) =>
      (settlement === "cleared" ? [null] : partnersOf(payer)).map(async (payee) => {
        const channel = await this.#agent(payer).openChannel({
          ...this.#payee(payee),
          deposit: depositUsdc[this.#options.settlement],
          label: life,
        });
        const known = (await states.load(topUpName(channel))) as { topUps: number } | null;
        const line = { channel, payer, payee, topUps: known?.topUps ?? 0, tail: Promise.resolve() };
        this.#lines.set(this.#lineName(payer, payee), line);
      }),
    );
    await Promise.all(opened);
  }

  async #paced(startedAt: number, count: number): Promise<void> {
    const { rate, signal } = this.#options;
    if (rate === 0) return;
    const waitMs = startedAt + (count * 1000) / rate - performance.now();
    if (waitMs > 1) await pause(waitMs, undefined, { signal }).catch(() => {});
  }

  #begin(index: number): void {
    const step = stepAt(this.#options.seed, index);
    const line = this.#lines.get(this.#lineName(step.payer, step.payee));
    if (!line) throw new RangeError(`no channel from ${step.payer} to ${step.payee}`);
    const turn = line.tail
      .then(() => (this.#failure ? undefined : this.#play(step, line)))
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#running.delete(turn));
    line.tail = turn;
    this.#running.add(turn);
  }

  async #play(step: Step, line: Line): Promise<void> {
    const last = indexOf(line.channel.lastKey);
    // Paid before the process died: what comes after it in the same channel was not.
    if (last === null || step.index >= last) {
      const ticketId = await this.#work(step);
      await this.#pay(step, line, ticketId);
    }
    const ask = askAt(this.#options.seed, step.index);
    if (ask) await this.#ask(ask, step.index);
    this.#payers.add(step.payer);
    this.#payees.add(step.payee);
    this.#finish(step.index);
    if (this.#next % keepEvery === 0) await this.#keep();
  }

  async #work(step: Step): Promise<string | null> {
    const [buyer, seller, player] = [
      this.#agent(step.payer),
      this.#agent(step.payee),
      cast[step.payee] ?? cast[0],
    ];
    if (!player) return null;
    const request = {
      key: this.#key(step.index),
      allotter: this.#agent(allotterIndex).client,
      society: this.#options.power.society,
      worker: seller.address,
      computeType: player.computeType,
      region: player.region,
      durationMs: step.durationMs,
      description: `${step.units} × ${step.skill}`,
      run: () => {
        labour(step.skill, step.units, this.#options.seed + step.index);
        return step.durationMs;
      },
    };
    try {
      return (await buyer.work(request)).id;
    } catch (error) {
      if (codeOf(error) === "TICKET_CLOSED") return null;
      if (codeOf(error) !== "ENERGY_INSUFFICIENT") throw error;
      await charge(this.#options.power);
      return (await buyer.work(request)).id;
    }
  }

  async #pay(step: Step, line: Line, ticketId: string | null): Promise<void> {
    const reference = `${step.units} × ${step.skill}`;
    const payment = {
      key: this.#key(step.index),
      amount: step.amount,
      reference,
      ...this.#payee(step.payee),
      ...(ticketId && { ticketId }),
    };
    try {
      await line.channel.pay(payment);
    } catch (error) {
      // The key is taken: this very payment was accepted before the process died.
      if (codeOf(error) === "IDEMPOTENCY_CONFLICT") return;
      if (codeOf(error) !== "VOUCHER_OVER_DEPOSIT") throw error;
      await this.#topUp(line);
      await line.channel.pay(payment);
    }
  }

  async #topUp(line: Line): Promise<void> {
    const { states, life } = this.#options;
    line.topUps += 1;
    await states.save(topUpName(line.channel), { topUps: line.topUps });
    const request = {
      ...this.#payee(line.payee),
      deposit: depositUsdc[this.#options.settlement],
      label: life,
    };
    await this.#agent(line.payer).topUp(request, line.topUps + 1);
    this.#counts.topUps += 1;
  }

  async #ask({ payer, payee, amount }: Ask, index: number): Promise<void> {
    try {
      const request = { key: this.#key(index), to: this.#agent(payee).address, amount };
      const { outcome } = await this.#agent(payer).spend(request);
      if (outcome !== "paid") this.#counts.proposalsAsked += 1;
      else this.#counts.spendsAsked += 1;
    } catch (error) {
      if (!(error instanceof BursarError) || ["retry", "sign"].includes(error.remedy)) throw error;
      // The Treasury's no is an answer: the window is used up, or this reference was paid before the process died.
      this.#counts.spendsRefused += 1;
    }
  }

  /** Whom a channel or a payment is for; nobody by name, for a cleared channel. */
  #payee = (index: number | null) => (index === null ? {} : { payee: this.#agent(index).address });

  #lineName = (payer: number, payee: number | null): string =>
    this.#options.settlement === "cleared" ? `${payer}` : `${payer}-${payee}`;

  #agent(index: number): Agent {
    const agent = this.#options.agents[index];
    if (!agent) throw new RangeError(`no agent ${index}`);
    return agent;
  }

  #key = (index: number): string => `demo-${this.#options.life}-${this.#options.seed}-${index}`;

  #finish(index: number): void {
    this.#done.add(index);
    while (this.#done.delete(this.#next)) this.#next += 1;
    this.#options.onProgress(this.#progress());
  }

  #keep = (): Promise<void> => this.#options.states.save(progressName, { next: this.#next });

  #progress(): Progress {
    const payments = this.#next + this.#done.size;
    return { payments, payers: this.#payers.size, payees: this.#payees.size, ...this.#counts };
  }
}

const topUpName = (channel: PayingChannel) => `topups-${channel.channelId}`;
const codeOf = (error: unknown) => (error instanceof BursarError ? error.code : null);
const indexOf = (key: string | null): number | null =>
  key === null ? null : Number(key.slice(key.lastIndexOf("-") + 1));

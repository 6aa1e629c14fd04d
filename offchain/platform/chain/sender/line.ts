import type { Clock } from "#offchain/core/clock.ts";
import type { ChainPosition, Delivery } from "./delivery.ts";
import type { SenderLimits } from "./limits.ts";
import type { QueuedTransaction } from "./transactionStore.ts";

/** Until when a call that could not be judged stands back. */
interface StandBack {
  /** The highest nonce that was in flight then: what its outcome may have depended on. */
  readonly behind: number;
  /** Epoch ms. */
  readonly until: number;
}

/**
 * Who is sent next. The service's own transactions go first and in their order: one that cannot be judged yet holds back
 * those that were asked for after it. What is independent, or was asked for by callers, never holds anybody back: a call
 * that cannot be judged stands back, and is judged for good once all that was in flight before it is mined. A quarter of
 * the places stays free of these, so that settlement never waits for them to be mined; and of those that wait a few are
 * judged before it is looked whether something of the service's own has come.
 */
export class Line {
  readonly #delivery: Pick<Delivery, "track" | "send">;
  readonly #limits: Pick<SenderLimits, "maxInFlight" | "maxJudgedAtOnce" | "standBackMs">;
  readonly #clock: Clock;
  #stoodBack = new Map<bigint, StandBack>();

  constructor(
    delivery: Pick<Delivery, "track" | "send">,
    limits: Pick<SenderLimits, "maxInFlight" | "maxJudgedAtOnce" | "standBackMs">,
    clock: Clock,
  ) {
    this.#delivery = delivery;
    this.#limits = limits;
    this.#clock = clock;
  }

  /**
   * Takes every open transaction a step further.
   * @param open those in flight first, then the service's own, of these the independent ones last, then callers', each
   *   oldest first
   * @returns whether a second look pays: something was broadcast, or not all were judged
   */
  async advance(
    open: readonly QueuedTransaction[],
    chain: ChainPosition,
    isStopping: () => boolean,
  ): Promise<boolean> {
    this.#forgetAllBut(open);
    const { maxInFlight, maxJudgedAtOnce } = this.#limits;
    const placesOfOthers = maxInFlight - Math.floor(maxInFlight / 4);
    let [broadcast, inFlight, others, judged, isBlocked] = [false, 0, 0, 0, false];
    let lastNonce = chain.nextNonce - 1;
    for (const transaction of open) {
      if (isStopping()) return false;
      const isOther = !isInOrder(transaction);
      if (transaction.state !== "prepared") {
        broadcast = (await this.#delivery.track(transaction, chain)) || broadcast;
        inFlight += 1;
        others += isOther ? 1 : 0;
        lastNonce = Math.max(lastNonce, transaction.nonce ?? lastNonce);
        continue;
      }
      if (inFlight >= maxInFlight || (isOther && others >= placesOfOthers)) break;
      if (isBlocked && !isOther) continue;
      const behind = inFlight > 0 ? lastNonce : null;
      if (this.#standsBack(transaction, chain, behind)) {
        isBlocked ||= !isOther;
        continue;
      }
      if (isOther && judged >= maxJudgedAtOnce) return true;
      judged += isOther ? 1 : 0;
      const outcome = await this.#judge(transaction, behind);
      if (outcome === "later" && !isOther) isBlocked = true;
      if (outcome !== "sent") continue;
      broadcast = true;
      inFlight += 1;
      lastNonce += 1;
      others += isOther ? 1 : 0;
    }
    return broadcast;
  }

  /** Whether it is too early to judge it again. @param lastNonce the highest one in flight; null when there is none */
  #standsBack({ id }: QueuedTransaction, { nextNonce }: ChainPosition, lastNonce: number | null): boolean {
    const stands = this.#stoodBack.get(id);
    if (!stands) return false;
    return (lastNonce !== null && nextNonce <= stands.behind) || this.#clock.now() < stands.until;
  }

  async #judge(
    transaction: QueuedTransaction,
    lastNonce: number | null,
  ): Promise<"sent" | "later" | "dropped"> {
    const { id } = transaction;
    // Judged before: what was in flight then is mined, so what it meets now is the answer.
    const mayDepend = lastNonce !== null && !this.#stoodBack.has(id);
    try {
      const outcome = await this.#delivery.send(transaction, mayDepend);
      if (outcome === "later") this.#stoodBack.set(id, { behind: lastNonce ?? -1, until: 0 });
      return outcome;
    } catch (error) {
      // The provider does not answer, or cannot say why: with such a call this is no reason to stop for the others.
      if (isInOrder(transaction)) throw error;
      this.#stoodBack.set(id, { behind: -1, until: this.#clock.now() + this.#limits.standBackMs });
      return "later";
    }
  }

  #forgetAllBut(open: readonly QueuedTransaction[]): void {
    const waiting = new Set(open.map(({ id }) => id));
    for (const id of this.#stoodBack.keys()) if (!waiting.has(id)) this.#stoodBack.delete(id);
  }
}

/** The service's own, which depend on each other. */
const isInOrder = ({ isRelayed, isIndependent }: QueuedTransaction) => !isRelayed && !isIndependent;

import type { Clock } from "#offchain/core/clock.ts";
import { isYounger } from "../../age.ts";
import type { ChainView } from "../port.ts";

/** A head that does not move says nothing about a provider that lags, or about a reorganisation of equal height. */
const freshMs = 1_000;
/** Answers that are kept; asking again costs a call, keeping too many costs memory. */
const keptMax = 10_000;

/**
 * Answers of the chain, asked once while its head stands, and never used for longer than a second. Who asks the same at
 * the same time waits for the same answer; one that failed is asked again.
 */
export class AtHead<Answer> {
  readonly #view: Pick<ChainView, "status">;
  readonly #clock: Clock;
  readonly #answers = new Map<string, Promise<Answer>>();
  #head = "";
  #since = 0;

  constructor(view: Pick<ChainView, "status">, clock: Clock) {
    this.#view = view;
    this.#clock = clock;
  }

  get(question: string, ask: () => Promise<Answer>): Promise<Answer> {
    this.#forgetOld();
    const known = this.#answers.get(question);
    if (known) return known;
    const answer = ask();
    this.#answers.set(question, answer);
    answer.catch(() => {
      if (this.#answers.get(question) === answer) this.#answers.delete(question);
    });
    return answer;
  }

  #forgetOld(): void {
    const { runId, head, indexedTo } = this.#view.status();
    const at = `${runId}:${head}:${indexedTo}`;
    const now = this.#clock.now();
    if (at === this.#head && isYounger(this.#since, freshMs, now) && this.#answers.size < keptMax) return;
    this.#answers.clear();
    this.#head = at;
    this.#since = now;
  }
}

import type { IncomingMessage } from "node:http";
import { BursarError } from "#offchain/core/error.ts";
import { readBody } from "../body.ts";
import { type Holder, Places } from "./places.ts";

/** A body as it comes in. */
interface IncomingBody {
  readonly request: Request;
  readonly incoming: IncomingMessage | undefined;
}

interface Limits {
  readonly bodyLimitBytes: number;
  /** All of one body must have come by then. */
  readonly bodyTimeoutMs: number;
  /** Bodies that are coming in at once. */
  readonly bodiesMax: number;
  /** Of one address. */
  readonly inFlightPerIpMax: number;
}

/**
 * Bodies on their way. They take no place among the requests that are answered: whoever sends half a body waits alone.
 * When too many are coming in, the oldest ones are given up, for a body that comes as it should is short of nothing but a
 * moment.
 */
export class IncomingBodies {
  readonly #limits: Limits;
  readonly #places: Places;
  /** What gives each of them up, the oldest first. */
  readonly #coming = new Set<(error: BursarError) => void>();

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#places = new Places({
      what: "request bodies",
      limit: "bodiesMax",
      most: Number.POSITIVE_INFINITY,
      share: limits.inFlightPerIpMax,
    });
  }

  /** @throws BursarError RATE_LIMITED, BODY_TOO_LARGE, BODY_LATE; OVERLOADED when it was given up for others */
  async read(holder: Holder, { request, incoming }: IncomingBody): Promise<Uint8Array> {
    const { bodyLimitBytes, bodyTimeoutMs, bodiesMax } = this.#limits;
    const leave = this.#places.take(holder);
    const [oldest] = this.#coming;
    if (this.#coming.size >= bodiesMax) oldest?.(givenUp(bodiesMax));
    let giveUp = (_: BursarError) => {};
    const abandoned = new Promise<never>((_, reject) => {
      giveUp = reject;
    });
    const timer = setTimeout(() => giveUp(late(bodyTimeoutMs)), bodyTimeoutMs);
    this.#coming.add(giveUp);
    const end = () => {
      clearTimeout(timer);
      this.#coming.delete(giveUp);
      leave();
    };
    // Given up, it has left already: what comes of it later is nobody's.
    abandoned.catch(end);
    try {
      const reading = readBody(request, incoming, bodyLimitBytes);
      reading.catch(() => {});
      return await Promise.race([reading, abandoned]);
    } finally {
      end();
    }
  }
}

const late = (limitMs: number) =>
  new BursarError("BODY_LATE", `the body has not come within ${limitMs} ms; send the request again`, {
    facts: { limitMs },
  });

const givenUp = (bodiesMax: number) =>
  new BursarError("OVERLOADED", `${bodiesMax} bodies are coming in already, and this one was the oldest`, {
    facts: { bodiesMax },
  });

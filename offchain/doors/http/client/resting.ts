import type { ServerResponse } from "node:http";
import type { Config } from "#offchain/app/config.ts";
import { type Holder, Places } from "./places.ts";

/** A request that may wait for something new. */
export interface Able {
  /**
   * The request waits for something new: meanwhile its place among those that are answered is another's. False: too many
   * wait already, and it is to be answered at once.
   */
  rest(): boolean;
  /** Aborted when a request that rests is to be answered at once: its client is gone, its place is another's, or the service stops. */
  readonly hurry: AbortSignal;
}

interface Begun extends Holder {
  readonly context: { readonly env?: { readonly outgoing?: Pick<ServerResponse, "once" | "off"> } };
}

/** The requests that wait for something new: as many as live streams, which they do the work of. */
export class Resting {
  readonly #places: Places;
  readonly #hurries = new Set<AbortController>();
  #isOver = false;

  constructor(limits: Config["http"]) {
    this.#places = new Places({
      what: "waiting requests",
      limit: "streamClientsMax",
      most: limits.streamClientsMax,
      share: limits.streamClientsPerIpMax,
    });
  }

  /** Makes a request able to rest. @param place what it holds, which it gives back when it rests */
  able<Asked extends Begun>(begun: Asked, place: { leave: () => void }): Asked & Able {
    const hurry = new AbortController();
    const rest = (): boolean => {
      if (this.#isOver || !this.#places.hasRoom(begun)) return false;
      place.leave();
      place.leave = this.#take(begun, hurry);
      return true;
    };
    return { ...begun, hurry: hurry.signal, rest };
  }

  #take(begun: Begun, hurry: AbortController): () => void {
    const end = () => hurry.abort();
    const leavePlace = this.#places.take(begun, end);
    const { outgoing } = begun.context.env ?? {};
    outgoing?.once("close", end);
    this.#hurries.add(hurry);
    return () => {
      outgoing?.off("close", end);
      this.#hurries.delete(hurry);
      leavePlace();
    };
  }

  /** From now on none waits. */
  hurryAll(): void {
    this.#isOver = true;
    for (const hurry of this.#hurries) hurry.abort();
  }
}

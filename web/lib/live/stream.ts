import { type Backoff, backoffMs } from "#offchain/core/pause.ts";
import type { StreamEvent, StreamEventOf } from "../model.ts";
import { joinTabs, type Tabs } from "./oneOfTabs.ts";

export type LiveState = "connecting" | "live" | "polling";

/** A point of the payment rate. */
export interface RatePoint {
  /** Epoch ms. */
  at: number;
  perSecond: number;
  count: number;
}

const eventTypes = [
  "payments",
  "batch",
  "proposal",
  "channel.closing",
  "block",
] as const satisfies readonly StreamEvent["type"][];
const maxPoints = 600;
const backoff: Backoff = { firstMs: 1_000, longestMs: 15_000 };

/** What the tab that holds the connection tells the others. */
type Told = { readonly state: LiveState } | { readonly type: StreamEvent["type"]; readonly text: string };

/**
 * The service's live stream, by one connection for all tabs. The browser's own EventSource resumes by Last-Event-ID after a
 * short drop; when it gives up (the service answered with an error), a new one is opened after a growing pause.
 */
export class Stream {
  #source: EventSource | null = null;
  #tabs: Tabs | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #state: LiveState = "connecting";
  #points: readonly RatePoint[] = [];
  readonly #url: string;
  readonly #stateListeners = new Set<() => void>();
  readonly #eventListeners = new Set<(event: StreamEvent) => void>();

  constructor(apiUrl: string) {
    this.#url = `${apiUrl}/api/v1/stream`;
  }

  get state(): LiveState {
    return this.#state;
  }

  /** The rate of the last minutes; a new array whenever a point was added. */
  get points(): readonly RatePoint[] {
    return this.#points;
  }

  open(): void {
    const hears = {
      told: (message: unknown) => this.#hear(message as Told),
      asked: (wish: unknown) => {
        if (wish === "reopen") this.#connect();
        else this.#tabs?.tell({ state: this.#state } satisfies Told);
      },
    };
    this.#tabs = joinTabs(`bursar ${this.#url}`, hears, () => {
      // What was told while nobody led is known to no tab.
      this.#enter("connecting");
      this.#connect();
    });
    this.#tabs.ask("state");
  }

  #connect(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    const source = new EventSource(this.#url);
    this.#source = source;
    source.onopen = () => {
      this.#failures = 0;
      this.#enter("live");
    };
    source.onerror = () => {
      this.#enter("polling");
      if (source.readyState !== EventSource.CLOSED) return;
      this.#failures += 1;
      this.#timer = setTimeout(() => this.#connect(), backoffMs(this.#failures, backoff));
    };
    for (const type of eventTypes)
      source.addEventListener(type, ({ data }) => {
        this.#tabs?.tell({ type, text: data } satisfies Told);
        this.#take(type, data);
      });
  }

  #hear(told: Told): void {
    if ("state" in told) this.#enter(told.state);
    else this.#take(told.type, told.text);
  }

  /** Nothing is heard any more: the connection may be dead though nobody has closed it. */
  reopen(): void {
    this.#enter("polling");
    this.#tabs?.ask("reopen");
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
    this.#tabs?.leave();
    this.#tabs = null;
  }

  onState = (listener: () => void): (() => void) => {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  };

  onEvent = (listener: (event: StreamEvent) => void): (() => void) => {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  };

  #take(type: StreamEvent["type"], text: string): void {
    const event = parseEvent(type, text);
    if (!event) return;
    if (event.type === "payments") this.#points = addPoint(this.#points, event);
    for (const listener of this.#eventListeners) listener(event);
  }

  #enter(state: LiveState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#tabs?.tell({ state } satisfies Told);
    for (const listener of this.#stateListeners) listener();
  }
}

/** The event that a message carries; null for what a newer service may send and this page does not know. */
export function parseEvent(type: StreamEvent["type"], text: string): StreamEvent | null {
  try {
    const event: unknown = JSON.parse(text);
    if (typeof event !== "object" || event === null || !("at" in event)) return null;
    return { ...event, type } as StreamEvent;
  } catch {
    return null;
  }
}

/** Adds a point in time order; what was already seen before a resumption is not counted twice. */
export function addPoint(
  points: readonly RatePoint[],
  event: StreamEventOf<"payments">,
): readonly RatePoint[] {
  const last = points.at(-1);
  if (last && event.at <= last.at) return points;
  return [...points.slice(1 - maxPoints), { at: event.at, perSecond: event.perSecond, count: event.count }];
}

/** What happened, as the live stream tells it; each feature gives its own events their fields. */
export interface StreamEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** An event with its place in the stream. */
export interface Published {
  /** `<run>-<number>`: unique across restarts, rising within a run. */
  id: string;
  event: StreamEvent;
}

export interface Subscription {
  /** Events since the asked id that are still kept, oldest first. */
  missed: readonly Published[];
  /** False when events since the asked id are gone (too old, or of an earlier run): the caller must look at the whole state again. */
  isComplete: boolean;
  close(): void;
}

/** In-process fan-out of live events. Nothing here is durable: what matters is in the database, events only say "look again". */
export interface Bus {
  publish(event: StreamEvent): Published;
  /** `listener` hears every event published from now on; an error in it is its own, and does not reach the publisher. */
  subscribe(listener: (published: Published) => void, afterId?: string | null): Subscription;
}

/** @param options.run tells one start of the process from another, e.g. its start time. `ringSize` events are kept for resuming. */
export function createBus(options: {
  run: string | number;
  ringSize: number;
  onListenerError?: (error: unknown) => void;
}): Bus {
  const ring: Published[] = [];
  const listeners = new Set<(published: Published) => void>();
  let count = 0;

  return {
    publish(event) {
      count += 1;
      const published = { id: `${options.run}-${count}`, event };
      ring.push(published);
      if (ring.length > options.ringSize) ring.shift();
      for (const listener of [...listeners]) {
        try {
          listener(published);
        } catch (error) {
          options.onListenerError?.(error);
        }
      }
      return published;
    },

    subscribe(listener, afterId) {
      const { missed, isComplete } = since(afterId ?? null);
      listeners.add(listener);
      return { missed, isComplete, close: () => void listeners.delete(listener) };
    },
  };

  function since(afterId: string | null): Pick<Subscription, "missed" | "isComplete"> {
    if (afterId === null) return { missed: [], isComplete: true };
    const prefix = `${options.run}-`;
    const seen = afterId.startsWith(prefix) ? Number(afterId.slice(prefix.length)) : Number.NaN;
    if (!Number.isSafeInteger(seen) || seen < 0 || seen > count)
      return { missed: [...ring], isComplete: false };
    const oldest = count - ring.length + 1;
    return { missed: ring.slice(Math.max(0, seen + 1 - oldest)), isComplete: seen + 1 >= oldest };
  }
}

/** What the tab that leads says to the others, and what one of them asks it for. */
type Said =
  | { readonly kind: "told"; readonly message: unknown }
  | { readonly kind: "asked"; readonly message: unknown };

export interface Tabs {
  /** Tells all other tabs, if this one leads. */
  tell(message: unknown): void;
  /** Asks the tab that leads. */
  ask(message: unknown): void;
  leave(): void;
}

/**
 * One of a browser's tabs leads, and another one when it is closed: a browser opens six connections to a host at the most
 * (RFC 9112 leaves it to them), so that six tabs with a stream each would leave none for what they ask. By the Web Locks
 * API and a BroadcastChannel; where a browser lacks one of them, each tab leads by itself.
 * @param hears.told in a tab that does not lead, what the leader says; `asked` in the one that leads, what the others ask
 * @param lead called when this tab leads
 */
export function joinTabs(
  name: string,
  hears: { told(message: unknown): void; asked(message: unknown): void },
  lead: () => void,
): Tabs {
  const locks = globalThis.navigator?.locks;
  if (!locks || !("BroadcastChannel" in globalThis)) {
    lead();
    return { tell() {}, ask: hears.asked, leave() {} };
  }
  let isLeading = false;
  const channel = new BroadcastChannel(name);
  const leaving = new AbortController();
  channel.onmessage = ({ data }: MessageEvent<Said>) => {
    if (data.kind === "asked" && isLeading) hears.asked(data.message);
    if (data.kind === "told" && !isLeading) hears.told(data.message);
  };
  const held = () =>
    new Promise<void>((done) => {
      if (leaving.signal.aborted) return done();
      isLeading = true;
      leaving.signal.addEventListener("abort", () => done(), { once: true });
      lead();
    });
  // Refused only when this tab leaves while it waits.
  locks.request(name, { signal: leaving.signal }, held).catch(() => {});
  return {
    tell(message) {
      if (isLeading) channel.postMessage({ kind: "told", message } satisfies Said);
    },
    ask: (message) => {
      if (isLeading) hears.asked(message);
      else channel.postMessage({ kind: "asked", message } satisfies Said);
    },
    leave() {
      leaving.abort();
      channel.close();
    },
  };
}

import { setTimeout as delay } from "node:timers/promises";
import { Client, type ClientOptions } from "pg";
import { quoted } from "./template.ts";

type Heard = (payload: string) => void;

/** Milliseconds between two attempts to get a lost connection back. */
const retryMs = 250;

/** Channels that are listened to (PostgreSQL manual, LISTEN), on a connection of their own that comes back when it is lost. */
export class Listener {
  readonly #options: ClientOptions;
  readonly #channels = new Map<string, Set<Heard>>();
  #client: Promise<Client> | null = null;
  readonly #ended = new AbortController();

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /**
   * Calls `heard` with each payload until `unlisten`. What is announced while the connection is lost is not heard.
   * @throws the error of the connection or the server, if it cannot listen now
   */
  async listen(channel: string, heard: Heard): Promise<{ unlisten(): Promise<void> }> {
    const listeners = this.#channels.get(channel) ?? new Set();
    this.#channels.set(channel, listeners.add(heard));
    try {
      // The connection may have been opened before this channel was wanted; to listen twice does no harm.
      await (await this.#connected()).query(`LISTEN ${quoted(channel)}`);
    } catch (error) {
      this.#forget(channel, heard);
      throw error;
    }
    return { unlisten: () => this.#unlisten(channel, heard) };
  }

  async end(): Promise<void> {
    this.#ended.abort();
    this.#channels.clear();
    const client = await this.#client?.catch(() => null);
    // A server that is gone says no goodbye.
    client?.connection.stream.destroy();
  }

  #connected(): Promise<Client> {
    this.#client ??= this.#open().catch((error: unknown) => {
      this.#client = null;
      throw error;
    });
    return this.#client;
  }

  async #open(): Promise<Client> {
    const client = new Client({ ...this.#options, pipeline: true });
    client.on("error", () => {});
    client.on("notification", ({ channel, payload }: { channel: string; payload: string }) => {
      for (const heard of this.#channels.get(channel) ?? []) heard(payload);
    });
    try {
      await client.connect();
      for (const channel of this.#channels.keys()) await client.query(`LISTEN ${quoted(channel)}`);
      client.on("end", () => void this.#reopen());
      return client;
    } catch (error) {
      client.connection.stream.destroy();
      throw error;
    }
  }

  async #reopen(): Promise<void> {
    this.#client = null;
    const { signal } = this.#ended;
    while (this.#channels.size > 0 && !signal.aborted) {
      const isBack = await this.#connected().then(
        () => true,
        () => false,
      );
      if (isBack) return;
      await delay(retryMs, undefined, { signal }).catch(() => {});
    }
  }

  async #unlisten(channel: string, heard: Heard): Promise<void> {
    if (!this.#forget(channel, heard)) return;
    // A connection that is lost listens to nothing.
    const client = await this.#client?.catch(() => null);
    await client?.query(`UNLISTEN ${quoted(channel)}`).catch(() => {});
  }

  /** @returns whether nobody listens to the channel any more */
  #forget(channel: string, heard: Heard): boolean {
    const listeners = this.#channels.get(channel);
    listeners?.delete(heard);
    return listeners?.size === 0 && this.#channels.delete(channel);
  }
}

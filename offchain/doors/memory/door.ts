import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { Service } from "#offchain/app/service.ts";
import type { OpenedStream } from "#offchain/app/stream.ts";
import type { Caller } from "#offchain/core/call/caller.ts";
import { asBursarError, type ErrorBody, errorBody } from "../error.ts";

/** What an action gave, or why it did not. */
export type Outcome<Output = unknown> =
  | { readonly ok: true; readonly output: Output }
  | { readonly ok: false; readonly error: ErrorBody };

export interface MemoryCall {
  readonly action: string;
  readonly input: unknown;
  /** Which chain is meant; absent: the first configured one. */
  readonly chainId?: number;
}

/** Calls actions and never throws. */
export interface MemoryDoor {
  call(caller: Caller, call: MemoryCall): Promise<Outcome>;
  /** Opens the stream of an action. */
  openStream(caller: Caller, call: MemoryCall): Promise<Outcome<MemoryStream>>;
}

/** An open stream, in the form of this door: what it answers never throws. */
export type MemoryStream =
  | Extract<OpenedStream, { kind: "feed" }>
  | { readonly kind: "messages"; send(input: unknown): Promise<Outcome> };

/**
 * The door without a protocol: for whoever runs in the service's own process, and what every other door is compared
 * with. It believes who calls, and takes no payments: an action that has a price is refused.
 */
export function openMemoryDoor({ call, openStream, detailOf, log }: Service): MemoryDoor {
  async function outcomeOf<Output>(action: string, run: () => Promise<Output>): Promise<Outcome<Output>> {
    try {
      return { ok: true, output: await run() };
    } catch (thrown) {
      const error = asBursarError(thrown);
      const requestId = randomUUID();
      if (error.code === "INTERNAL") log.error({ requestId, action, err: thrown }, "call failed");
      return { ok: false, error: errorBody(error, { requestId, detailOf }) };
    }
  }

  return {
    call: (caller, { action, input, chainId }) =>
      outcomeOf(action, async () => {
        const answer = await call({ action, caller, input: () => input, chainId });
        if (answer.kind === "done") return answer.output;
        throw new Error(`${action} was sold without a way to pay`);
      }),
    openStream: (caller, { action, input, chainId }) =>
      outcomeOf(action, async () => {
        const stream = await openStream({ action, caller, input: () => input, chainId, from: "memory" });
        if (stream.kind === "feed") return stream;
        const send = (message: unknown) =>
          outcomeOf(action, async () => {
            for (let waitMs = stream.spend(); waitMs > 0; waitMs = stream.spend()) await setTimeout(waitMs);
            const [outcome] = await stream.run([stream.admit(message)]);
            if (outcome?.ok) return outcome.output;
            throw outcome?.error ?? new Error(`a message to ${action} has no outcome`);
          });
        return { kind: "messages", send };
      }),
  };
}

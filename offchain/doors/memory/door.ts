import { randomUUID } from "node:crypto";
import type { Service } from "#offchain/app/service.ts";
import type { Caller } from "#offchain/core/action.ts";
import { asBursarError, type ErrorBody, errorBody } from "../error.ts";

/** What an action gave, or why it did not. */
export type Outcome =
  | { readonly ok: true; readonly output: unknown }
  | { readonly ok: false; readonly error: ErrorBody };

export interface MemoryCall {
  readonly action: string;
  readonly input: unknown;
  /** Which chain is meant; absent: the first configured one. */
  readonly chainId?: number;
}

/** Calls an action and never throws. */
export type MemoryDoor = (caller: Caller, call: MemoryCall) => Promise<Outcome>;

/**
 * The door without a protocol: for whoever runs in the service's own process, and what every other door is compared
 * with. It believes who calls, and takes no payments: an action that has a price is refused.
 */
export function openMemoryDoor({ call, config, log }: Service): MemoryDoor {
  return async (caller, { action, input, chainId }) => {
    try {
      const answer = await call({ action, caller, input: () => input, chainId });
      if (answer.kind === "done") return { ok: true, output: answer.output };
      throw new Error(`${action} was sold without a way to pay`);
    } catch (thrown) {
      const error = asBursarError(thrown);
      const requestId = randomUUID();
      if (error.code === "INTERNAL") log.error({ requestId, action, err: thrown }, "call failed");
      return { ok: false, error: errorBody(error, { requestId, isDebug: config.http.isDebug }) };
    }
  };
}

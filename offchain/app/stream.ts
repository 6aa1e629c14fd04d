import { type Caller, submitterOf } from "#offchain/core/call/caller.ts";
import type { Pricing } from "#offchain/core/call/pricing.ts";
import type { Following, MessageOutcome } from "#offchain/core/call/stream.ts";
import { BursarError } from "#offchain/core/error.ts";
import type { RateLimit } from "#offchain/platform/rateLimit.ts";
import { withinRequest } from "#offchain/platform/requestContext.ts";
import type { FeatureAction } from "./features.ts";
import { validate } from "./validate.ts";

/** The opening of a stream, as a door hands it over: who calls is established, nothing else is checked. */
export interface Opening {
  /** The name of the action that is streamed. */
  readonly action: string;
  readonly caller: Caller;
  /** Gives what a feed is opened with, not validated yet. A stream of messages is opened with nothing. */
  readonly input: () => unknown;
  readonly chainId?: number | undefined;
  /** Where the caller is, by which the messages of one that signed nothing are counted. */
  readonly from: string;
  readonly isExemptFromRates?: boolean;
}

/** A message that was let in: its lane, and the input as the action has it. */
export interface AdmittedMessage {
  readonly lane: string;
  readonly input: unknown;
}

/** An open stream. What it was opened under, its role and that nothing must be paid, changes only with a restart. */
export type OpenedStream =
  | { readonly kind: "feed"; readonly following: Following }
  | {
      readonly kind: "messages";
      /**
       * Counts a message against the rate of its sender; zero when it may come in, else how long it waits first, ms. It
       * waits and is not refused: those behind it may build upon it.
       */
      spend(): number;
      /** @throws BursarError VALIDATION_INVALID_INPUT */
      admit(input: unknown): AdmittedMessage;
      /** Runs messages of one lane; an outcome for each, in their order. */
      run(messages: readonly AdmittedMessage[]): Promise<readonly MessageOutcome[]>;
    };

interface Options {
  /** Rate of the signer and role. */
  admit(opening: Opening): FeatureAction;
  serviceOf(feature: string, chainId?: number): unknown;
  /** Who sells the action; null: it costs nothing. */
  sellerOf(name: string, chainId?: number): Pricing | null;
  readonly perStreamer: RateLimit;
}

/**
 * The pipeline of a call for streams. A priced action is not streamed: a sale is one payment for one answer, and a stream
 * has no end at which its answer could be withheld.
 */
export function createStreams({ admit, serviceOf, sellerOf, perStreamer }: Options) {
  return async (opening: Opening): Promise<OpenedStream> => {
    const { action: name, caller, input, chainId, from, isExemptFromRates = false } = opening;
    const { action, feature } = admit(opening);
    const { stream } = action;
    if (!stream) throw notStreamed(name);
    const valid = stream.kind === "feed" ? validate(stream.input, input()) : null;
    const service = serviceOf(feature, chainId);
    if (sellerOf(name, chainId)) throw unpayable(name);
    if (stream.kind === "feed") return { kind: "feed", following: await stream.open(service, caller, valid) };
    const sender = submitterOf(caller) ?? from;
    return {
      kind: "messages",
      spend: () => (isExemptFromRates ? 0 : perStreamer(sender)),
      admit(sent) {
        const admitted = validate(action.input, sent);
        return { lane: stream.laneOf(admitted), input: admitted };
      },
      run: (messages) => {
        const inputs = messages.map((message) => message.input);
        return withinRequest(from, () => stream.runAll(service, caller, inputs));
      },
    };
  };
}

const notStreamed = (name: string) =>
  new BursarError("ROUTE_UNKNOWN", `${name} is not streamed; call it`, { facts: { action: name } });

const unpayable = (name: string) =>
  new BursarError(
    "FORBIDDEN",
    `${name} has a price here, which a stream cannot pay; call it and pay for each answer`,
    {
      facts: { action: name },
    },
  );

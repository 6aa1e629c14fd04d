import type { z } from "zod";
import type { BursarError } from "../error.ts";
import type { Caller } from "./caller.ts";

/** How an action is reached without end: one opening and many answers, or one call for each message. */
export type Streaming<Service, Input extends z.ZodType, Output extends z.ZodType> =
  | FeedStream<Service>
  | MessageStream<Service, Input, Output>;

interface Declared {
  readonly summary: string;
  /** What it is about, as `Action.resource`; it has no parameters. */
  readonly resource: `/${string}`;
}

/** Answers without end to one opening; its reader sets the pace. */
export interface FeedStream<Service, Input extends z.ZodType = z.ZodType> extends Declared {
  readonly kind: "feed";
  readonly input: Input;
  /** The field of the input by which a reader that comes back goes on; it takes what `FeedNews.place` was. */
  readonly resumedBy: string;
  /** @throws BursarError what is wrong with the input: the stream does not open then */
  open(service: Service, caller: Caller, input: z.output<Input>): Promise<Following>;
}

/** One thing that a feed tells. */
export interface FeedMessage {
  /** Where to go on after it; absent: it does not move the reader's place. */
  readonly place?: string;
  readonly event: string;
  readonly data: unknown;
}

export interface FeedNews {
  readonly messages: readonly FeedMessage[];
  /** Where to go on, also when nothing was told. */
  readonly place: string;
}

/** A feed as one reader follows it. It keeps nothing that was not asked for. */
export interface Following {
  /** Where it begins; null: with the first thing that was ever told. */
  readonly place: string | null;
  /** What is new; nothing, when there was nothing for so long or what there was does not concern the reader. */
  next(waitMs: number): Promise<FeedNews>;
}

/** The action once for each message of an open connection. */
export interface MessageStream<Service, Input extends z.ZodType, Output extends z.ZodType> extends Declared {
  readonly kind: "messages";
  /** What a message calls the action's input, and its answer the output. */
  readonly words: { readonly input: string; readonly output: string };
  /** Messages of one lane are run in their order; lanes do not wait for each other. */
  laneOf(input: z.output<Input>): string;
  /** Runs messages that came together; an outcome for each, in their order. */
  runAll(
    service: Service,
    caller: Caller,
    inputs: readonly z.output<Input>[],
  ): Promise<readonly MessageOutcome<z.input<Output>>[]>;
}

export type MessageOutcome<Output = unknown> =
  | { readonly ok: true; readonly output: Output }
  | { readonly ok: false; readonly error: BursarError };

/** Declares a feed; exists so that `open` is typed by its input. */
export const feed = <Service, Input extends z.ZodType>(
  declaration: Omit<FeedStream<Service, Input>, "kind">,
): FeedStream<Service> => ({ kind: "feed", ...declaration }) as FeedStream<Service>;

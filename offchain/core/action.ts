import { z } from "zod";
import type { Caller, Role } from "./call/caller.ts";
import type { Streaming } from "./call/stream.ts";

/** What a call does to its resource. `read` changes nothing; the others may be repeated: the same key is the same write. */
export type Effect = "read" | "write" | "replace" | "remove";

/**
 * One verb of Bursar, declared once; every door is derived from it. `name` is `noun.verb`. `input` gathers all parameters
 * under one schema. `Service` is the interface of the feature that the action belongs to.
 */
export interface Action<Service, Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly summary: string;
  readonly effect: Effect;
  /** URI template of what it is about, e.g. `/api/v1/agents/{address}`; its parameters are fields of the input. */
  readonly resource: `/${string}`;
  /** The least a caller must be. */
  readonly role: Role;
  readonly input: Input;
  readonly output: Output;
  run(service: Service, caller: Caller, input: z.output<Input>): Promise<z.input<Output>>;
  /**
   * How many things one call asks for, which count against the rate of messages; absent: the call is counted and no more.
   * Asked before the input is validated, which is work too.
   */
  readonly itemsOf?: (input: unknown) => number;
  /** How it is reached without end, under the same role and rates; absent: by calls alone. */
  readonly stream?: Streaming<Service, Input, Output>;
}

/** Declares an action; exists so that `run` is typed by its schemas and the name stays literal. */
export function action<
  Service,
  Name extends `${string}.${string}`,
  Input extends z.ZodType,
  Output extends z.ZodType,
>(
  declaration: Omit<Action<Service, Input, Output>, "name"> & { name: Name },
): Action<Service, Input, Output> & { readonly name: Name } {
  return declaration;
}

/** Whether what it is asked for has an idempotency key, or consists of things that each have one: then a repetition is known by it. */
export function isKeyed(input: z.ZodType): boolean {
  if (input instanceof z.ZodPipe) return isKeyed(input.in as z.ZodType);
  if (!(input instanceof z.ZodObject)) return false;
  const { key, ...others } = input.shape as Readonly<Record<string, z.ZodType>>;
  if (key) return !key.safeParse(undefined).success;
  const parts = Object.values(others);
  return (
    parts.length > 0 &&
    parts.every((part) => part instanceof z.ZodArray && isKeyed(part.element as z.ZodType))
  );
}

/** An action whose service and schemas do not matter: what doors and the pipeline of a call see. */
export type AnyAction = Action<unknown>;

import type { z } from "zod";
import type { World } from "./world.ts";

/** Who is calling, as the door established it. */
export type Caller =
  | { role: "anonymous" }
  /** An agent or human that signed the request (EIP-712 `Request`); `address` is checksummed. */
  | { role: "agent"; address: `0x${string}` }
  /** The operator of this service (its own jobs and the demo's set-up). */
  | { role: "operator" };

export type Role = Caller["role"];

/** The address that signed the request, or null. */
export const submitterOf = (caller: Caller): `0x${string}` | null =>
  caller.role === "agent" ? caller.address : null;

/**
 * One verb of Bursar, declared once. The REST route with its OpenAPI, and the SDK's method, are derived from it.
 * `name` is `noun.verb`. `input` gathers path, query and body parameters under one schema.
 */
export interface Action<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly summary: string;
  readonly route: { readonly method: "GET" | "POST" | "PUT" | "DELETE"; readonly path: `/${string}` };
  /** The least a caller must be. */
  readonly role: Role;
  /** Whether the same call may be sent again safely; every write of Bursar is. */
  readonly idempotent: true;
  readonly input: Input;
  readonly output: Output;
  run(world: World, caller: Caller, input: z.output<Input>): Promise<z.input<Output>>;
}

/** Declares an action; exists so that `run` is typed by its schemas. */
export function action<Name extends `${string}.${string}`, Input extends z.ZodType, Output extends z.ZodType>(
  declaration: Omit<Action<Input, Output>, "name" | "idempotent"> & { name: Name },
): Action<Input, Output> & { readonly name: Name } {
  return { idempotent: true, ...declaration };
}

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

/** The signed request that a caller came with, by which a repetition of it is known. */
export interface Proof {
  /** What was signed, as its EIP-712 digest. */
  readonly digest: `0x${string}`;
  /** Until when the same request could be sent again, epoch ms. */
  readonly endsAt: number;
}

/** Who is calling, as the door established it. */
export type Caller =
  | { role: "anonymous" }
  /** An agent or human that signed the request (EIP-712 `Request`); `address` is checksummed. */
  | { role: "agent"; address: `0x${string}`; proof?: Proof }
  /** The operator of this service (its own jobs and the demo's set-up). */
  | { role: "operator"; proof?: Proof };

export type Role = Caller["role"];

const rank: Record<Role, number> = { anonymous: 0, agent: 1, operator: 2 };

/** Whether whoever has the role may do what needs the other. */
export const isAtLeast = (role: Role, needed: Role): boolean => rank[role] >= rank[needed];

/** The signed request that the caller came with; null for who is believed, or is anonymous. */
export const proofOf = (caller: Caller): Proof | null =>
  caller.role === "anonymous" ? null : (caller.proof ?? null);

/** The address that signed the request, or null. */
export const submitterOf = (caller: Caller): `0x${string}` | null =>
  caller.role === "agent" ? caller.address : null;

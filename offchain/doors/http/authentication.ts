import { getAddress, hashTypedData, keccak256 } from "viem";
import type { Caller, Role } from "#offchain/app/action.ts";
import { BursarError } from "#offchain/core/error.ts";
import { assertFresh, readAuthorization, requestDomain, requestTypes } from "#offchain/core/request.ts";

/** Gives the address that signed a digest, or null. */
export type RecoverAddress = (digest: `0x${string}`, signature: `0x${string}`) => `0x${string}` | null;

export interface SignedRequest {
  method: string;
  /** Path with its query, as it was sent. */
  path: string;
  body: Uint8Array;
  /** The `authorization` header, if there is one. */
  authorization: string | undefined;
}

export type Authenticate = (request: SignedRequest) => Caller;

/**
 * Establishes who calls, by the EIP-712 `Request` signature. No header: anonymous. The operator is whoever holds the operator's key.
 * A captured request can only be repeated as it is and within a minute, and every write is idempotent, so a replay changes nothing.
 * @throws BursarError (from the returned function) SIGNATURE_INVALID, SIGNATURE_EXPIRED
 */
export function createAuthenticate(options: {
  chainId: number;
  operator: `0x${string}` | null;
  now: () => number;
  recoverAddress: RecoverAddress;
}): Authenticate {
  const domain = requestDomain(options.chainId);
  const operator = options.operator && getAddress(options.operator);
  return ({ method, path, body, authorization }) => {
    if (authorization === undefined) return { role: "anonymous" };
    const { address, issuedAt, signature } = readAuthorization(authorization);
    assertFresh(issuedAt, options.now());
    const agent = getAddress(address);
    const message = { agent, method, path, bodyHash: keccak256(body), issuedAt: BigInt(issuedAt) };
    const digest = hashTypedData({ domain, types: requestTypes, primaryType: "Request", message });
    if (options.recoverAddress(digest, signature) !== agent)
      throw new BursarError("SIGNATURE_INVALID", `the signature over this request is not by ${agent}`, {
        facts: { agent, method, path, issuedAt, chainId: options.chainId },
      });
    return agent === operator ? { role: "operator" } : { role: "agent", address: agent };
  };
}

const rank: Record<Role, number> = { anonymous: 0, agent: 1, operator: 2 };

/** @throws BursarError SIGNATURE_MISSING for an anonymous caller, FORBIDDEN for one of too low a role. */
export function assertRole(caller: Caller, needed: Role, action: string): void {
  if (rank[caller.role] >= rank[needed]) return;
  const facts = { action, role: caller.role, needed };
  if (caller.role === "anonymous")
    throw new BursarError("SIGNATURE_MISSING", `${action} needs a signed request (role ${needed})`, {
      facts,
    });
  throw new BursarError("FORBIDDEN", `${action} is for the ${needed} only`, { facts });
}

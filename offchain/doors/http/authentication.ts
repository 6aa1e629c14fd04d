import { getAddress, hashTypedData, keccak256 } from "viem";
import type { Caller } from "#offchain/core/call/caller.ts";
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
  /** The chains of which it must be signed for one; the default chain alone, where none are given. */
  chainIds?: readonly number[];
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
  const operator = options.operator && getAddress(options.operator);
  return ({ method, path, body, authorization, chainIds = [options.chainId] }) => {
    if (authorization === undefined) return { role: "anonymous" };
    const { address, issuedAt, signature } = readAuthorization(authorization);
    assertFresh(issuedAt, options.now());
    const agent = getAddress(address);
    const message = { agent, method, path, bodyHash: keccak256(body), issuedAt: BigInt(issuedAt) };
    const isSignedFor = (chainId: number) => {
      const domain = requestDomain(chainId);
      const digest = hashTypedData({ domain, types: requestTypes, primaryType: "Request", message });
      return options.recoverAddress(digest, signature) === agent;
    };
    if (!chainIds.some(isSignedFor))
      // Which chain it was signed for, if another, cannot be read from it.
      throw new BursarError(
        "SIGNATURE_INVALID",
        `the signature over this request is not by ${agent} for chain ${chainIds.join(" or ")}: it was signed for another chain, or another request, or by another key`,
        { facts: { agent, method, path, issuedAt, chainId: chainIds.join(", ") } },
      );
    return agent === operator ? { role: "operator" } : { role: "agent", address: agent };
  };
}

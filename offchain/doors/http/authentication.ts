import { getAddress, hashTypedData, keccak256 } from "viem";
import type { Caller } from "#offchain/core/call/caller.ts";
import { BursarError } from "#offchain/core/error.ts";
import {
  assertFresh,
  readAuthorization,
  requestDomain,
  requestTypes,
  requestWindowMs,
} from "#offchain/core/request.ts";

/** Gives the address that signed a digest, or null. */
export type RecoverAddress = (digest: `0x${string}`, signature: `0x${string}`) => `0x${string}` | null;

export interface SignedRequest {
  method: string;
  /** Path with its query, as it was sent. */
  path: string;
  body: Uint8Array;
  /** The `authorization` header, if there is one. */
  authorization: string | undefined;
  /** The origins under which this service may have been meant; see `audiencesOf`. */
  audiences: readonly string[];
  /** The chains of which it must be signed for one. */
  chainIds: readonly number[];
  /** Whose key is the operator's; null: nobody's. */
  operator: `0x${string}` | null;
}

export type Authenticate = (request: SignedRequest) => Caller;

/**
 * Establishes who calls, by the EIP-712 `Request` signature. No header: anonymous. The operator is whoever holds the operator's key.
 * A captured request can only be repeated as it is, here and while it is fresh. The caller carries what was signed, by
 * which a repeated write is known (`app/call.ts`), so a replay changes nothing.
 * @throws BursarError (from the returned function) SIGNATURE_INVALID, SIGNATURE_EXPIRED
 */
export function createAuthenticate(options: {
  now: () => number;
  recoverAddress: RecoverAddress;
}): Authenticate {
  return ({ method, path, body, authorization, audiences, chainIds, operator }) => {
    if (authorization === undefined) return { role: "anonymous" };
    const { address, issuedAt, signature } = readAuthorization(authorization);
    assertFresh(issuedAt, options.now());
    const agent = getAddress(address);
    if (audiences.length === 0)
      throw new BursarError(
        "SIGNATURE_INVALID",
        "this service does not know the address that the request was sent to, for which it must be signed: its operator sets BURSAR_PUBLIC_URLS",
        { facts: { agent, method, path, issuedAt } },
      );
    const said = { agent, method, path, bodyHash: keccak256(body), issuedAt: BigInt(issuedAt) };
    const signedDigest = () => {
      for (const chainId of chainIds)
        for (const audience of audiences) {
          const message = { ...said, audience };
          const domain = requestDomain(chainId);
          const digest = hashTypedData({ domain, types: requestTypes, primaryType: "Request", message });
          if (options.recoverAddress(digest, signature) === agent) return digest;
        }
      return null;
    };
    const digest = signedDigest();
    if (digest === null) {
      const [chainId, audience] = [chainIds.join(" or "), audiences.join(" or ")];
      // For what else it was signed cannot be read from it.
      throw new BursarError(
        "SIGNATURE_INVALID",
        `the signature is not by ${agent} over this request to ${audience} on chain ${chainId}: it was signed for another address or chain, over another request, or by another key`,
        { facts: { agent, method, path, issuedAt, chainId: chainIds.join(", "), audience } },
      );
    }
    const proof = { digest, endsAt: issuedAt + requestWindowMs };
    return operator !== null && agent === getAddress(operator)
      ? { role: "operator", proof }
      : { role: "agent", address: agent, proof };
  };
}

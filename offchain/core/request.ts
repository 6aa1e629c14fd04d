import { BursarError } from "./error.ts";

/** EIP-712 domain of a signed request. */
export const requestDomain = (chainId: number) => ({ name: "Bursar", version: "2", chainId }) as const;

/**
 * What an agent signs to call as itself: this method, path (with its query) and body, at this time, sent to this service.
 * `audience` is the origin that the agent itself sends to, such as `https://bursar.example.com`: whoever is sent a request
 * could otherwise hand it on to another service, which would take it for a first one.
 */
export const requestTypes = {
  Request: [
    { name: "agent", type: "address" },
    { name: "audience", type: "string" },
    { name: "method", type: "string" },
    { name: "path", type: "string" },
    { name: "bodyHash", type: "bytes32" },
    { name: "issuedAt", type: "uint256" },
  ],
} as const;

/** How far a signed request's time may be from the service's, either way. */
export const requestWindowMs = 60_000;

/** An `authorization: EIP712 <address>.<issuedAt>.<signature>` header, taken apart; `issuedAt` in epoch ms. */
export interface Authorization {
  address: string;
  issuedAt: number;
  signature: `0x${string}`;
}

export const writeAuthorization = ({ address, issuedAt, signature }: Authorization): string =>
  `EIP712 ${address}.${issuedAt}.${signature}`;

/** @throws BursarError SIGNATURE_INVALID when the header has another form. */
export function readAuthorization(header: string): Authorization {
  const match = /^EIP712 (0x[0-9a-fA-F]{40})\.(\d{1,15})\.(0x[0-9a-fA-F]{128}(?:[0-9a-fA-F]{2})?)$/.exec(
    header,
  );
  const [, address, issuedAt, signature] = match ?? [];
  if (!address || !issuedAt || !signature)
    throw new BursarError(
      "SIGNATURE_INVALID",
      "the authorization header must be: EIP712 <address>.<issuedAt in epoch ms>.<signature>",
    );
  return { address, issuedAt: Number(issuedAt), signature: signature as `0x${string}` };
}

/** @throws BursarError SIGNATURE_EXPIRED when the request was signed too long ago, or in the future. */
export function assertFresh(issuedAt: number, now: number): void {
  if (Math.abs(now - issuedAt) <= requestWindowMs) return;
  throw new BursarError(
    "SIGNATURE_EXPIRED",
    `the request was signed ${Math.abs(now - issuedAt)} ms ${issuedAt < now ? "ago" : "ahead"}; sign it again`,
    { facts: { issuedAt, now, windowMs: requestWindowMs } },
  );
}

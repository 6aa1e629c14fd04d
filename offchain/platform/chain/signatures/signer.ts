import type { LocalAccount } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { signDigest } from "./secp256k1.ts";

/** Signs digests by a key that cannot be read from it. */
export interface DigestSigner {
  readonly address: `0x${string}`;
  /** r, s, v (27 or 28) as 65 bytes. */
  signDigest(digest: `0x${string}`): Promise<`0x${string}`>;
}

/** Signs for this service: transactions and typed data by viem, digests by the fast curve. */
export interface Signer extends DigestSigner {
  readonly account: LocalAccount;
}

/** The one place where a key becomes what signs by it. */
export function privateKeyToSigner(privateKey: `0x${string}`): Signer {
  const account = privateKeyToAccount(privateKey);
  return {
    account,
    address: account.address,
    signDigest: (digest) => signDigest(digest, privateKey),
  };
}

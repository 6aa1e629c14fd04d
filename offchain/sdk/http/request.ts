import { keccak256, type LocalAccount, stringToHex } from "viem";
import { requestDomain, requestTypes, writeAuthorization } from "#offchain/core/request.ts";
import type { ClientOptions } from "../client.ts";

/**
 * Signs each request that needs a role with the account's EIP-712 `Request`, for {@link ClientOptions.authorize}.
 * @param now epoch ms; the service refuses a signature more than a minute from its own clock.
 */
export function signRequests(
  account: Pick<LocalAccount, "address" | "signTypedData">,
  chainId: number,
  now: () => number = Date.now,
): NonNullable<ClientOptions["authorize"]> {
  return async ({ method, path, body, origin }) => {
    const issuedAt = now();
    const signature = await account.signTypedData({
      domain: requestDomain(chainId),
      types: requestTypes,
      primaryType: "Request",
      message: {
        agent: account.address,
        audience: origin,
        method,
        path,
        bodyHash: keccak256(stringToHex(body)),
        issuedAt: BigInt(issuedAt),
      },
    });
    return { authorization: writeAuthorization({ address: account.address, issuedAt, signature }) };
  };
}

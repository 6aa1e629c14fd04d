/** An agent's DID: did:pkh over its CAIP-10 account. */
export const didOf = (chainId: number, address: `0x${string}`): string =>
  `did:pkh:eip155:${chainId}:${address}`;

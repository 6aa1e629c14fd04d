/** Under which path of the API something that belongs to a chain is reached on any chain, not only on the default one. */
export const chainPath = (path: string): `/${string}` =>
  path.startsWith("/api/v1/")
    ? `/api/v1/chains/{chainId}/${path.slice("/api/v1/".length)}`
    : `/chains/{chainId}${path}`;

/** The same for one chain. */
export const pathOnChain = (path: string, chainId: number): string =>
  chainPath(path).replace("{chainId}", String(chainId));

/** Where a request came in, and where its sender says that it sent it. */
export interface Addressed {
  /** The `host` header. */
  readonly host: string | null;
  /** The socket's own end. */
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
}

/**
 * The origins that a request to this service may be signed for. Whoever hands on another's request chooses its `host`
 * header freely, so that one is believed only where it names this service: an address that it is configured to have, or
 * the socket's own.
 * @param publicUrls the origins under which the service is reached through proxies
 */
export function audiencesOf(
  { host, localAddress, localPort }: Addressed,
  publicUrls: readonly string[],
): readonly string[] {
  // Every request comes by here: origins are compared as texts.
  const named = publicUrls.filter((origin) => origin.endsWith(`://${host}`));
  if (named.length > 0) return named;
  return host !== null && ownHosts(localAddress, localPort).includes(host) ? [`http://${host}`] : publicUrls;
}

const loopback = ["localhost", "127.0.0.1", "[::1]"];

function ownHosts(address: string | undefined, port: number | undefined): string[] {
  if (address === undefined || port === undefined) return [];
  // Of a link-local address Node writes the interface too: fe80::1%eth0.
  const plain = address.replace(/^::ffff:/, "").replace(/%.*$/, "");
  const names =
    plain === "127.0.0.1" || plain === "::1" ? loopback : [plain.includes(":") ? `[${plain}]` : plain];
  // The usual port is left out of the header.
  return port === 80 ? names : names.map((name) => `${name}:${port}`);
}

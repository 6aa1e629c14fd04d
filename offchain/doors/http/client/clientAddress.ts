/** Who is on the other end: its IP address, and whether somebody stands between. */
export interface ClientAddress {
  ip: string;
  isForwarded: boolean;
}

/**
 * The client's IP address. `X-Forwarded-For` is believed only from a trusted proxy, read from the right until an
 * address that is not one: everything further left is the client's own claim.
 */
export function clientAddress(
  socketIp: string,
  forwardedFor: string | undefined,
  trustedProxies: ReadonlySet<string>,
): ClientAddress {
  const ip = plainIp(socketIp);
  if (!forwardedFor) return { ip, isForwarded: false };
  if (!trustedProxies.has(ip)) return { ip, isForwarded: true };
  const hops = forwardedFor.split(",").map((hop) => plainIp(hop.trim()));
  const client = hops.findLast((hop) => !trustedProxies.has(hop)) ?? hops[0];
  return { ip: client || ip, isForwarded: true };
}

/** An IPv4 address that a dual-stack socket shows as IPv6, in its own form. */
const plainIp = (ip: string) => (ip.startsWith("::ffff:") && ip.includes(".") ? ip.slice(7) : ip);

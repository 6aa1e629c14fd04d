import { isIPv6 } from "node:net";

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

/**
 * By what its requests are counted: an IPv4 address as it is, an IPv6 address by its /64, which is the least that one
 * customer is given (RFC 6177) and of whose 2^64 addresses it may use any.
 */
export function countedAddress(ip: string): string {
  const groups = isIPv6(ip) ? groupsOf(ip) : null;
  return groups
    ? `${groups
        .slice(0, 4)
        .map((group) => group.toString(16))
        .join(":")}::/64`
    : ip;
}

/** An IPv4 address that a dual-stack socket or a proxy shows as IPv6, in its own form. */
function plainIp(ip: string): string {
  const groups = isIPv6(ip) ? groupsOf(ip) : null;
  const [fifth, high = 0, low = 0] = groups?.slice(5) ?? [];
  if (fifth !== 0xffff || groups?.slice(0, 5).some((group) => group !== 0)) return ip;
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** The eight groups of an IPv6 address (RFC 4291, 2.2). */
function groupsOf(ip: string): number[] {
  const [address = ""] = ip.split("%");
  const hexadecimal = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = [], tail = []] = hexadecimal
    .split("::")
    .map((part) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16))));
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

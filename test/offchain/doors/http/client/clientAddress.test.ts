import { expect, it } from "vitest";
import { clientAddress, countedAddress } from "#offchain/doors/http/client/clientAddress.ts";

const proxies = new Set(["10.0.0.1", "10.0.0.2"]);

it("is the socket's address when nobody forwards", () => {
  expect(clientAddress("::ffff:192.0.2.7", undefined, proxies)).toEqual({
    ip: "192.0.2.7",
    isForwarded: false,
  });
});

it("does not believe a stranger's X-Forwarded-For", () => {
  expect(clientAddress("192.0.2.7", "198.51.100.1", proxies)).toEqual({ ip: "192.0.2.7", isForwarded: true });
});

it("is the last hop that is no proxy of ours", () => {
  expect(clientAddress("10.0.0.1", "203.0.113.5, 198.51.100.1, 10.0.0.2", proxies).ip).toBe("198.51.100.1");
});

it.each(["::ffff:192.0.2.7", "::ffff:c000:207", "0:0:0:0:0:ffff:c000:0207"])(
  "is the IPv4 address that %s stands for",
  (ip) => {
    expect(clientAddress(ip, undefined, proxies).ip).toBe("192.0.2.7");
    expect(clientAddress("10.0.0.1", ip, proxies).ip).toBe("192.0.2.7");
  },
);

it.each([
  ["192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
])("counts %s as %s", (ip, counted) => {
  expect(countedAddress(ip)).toBe(counted);
});

import { expect, it } from "vitest";
import { clientAddress } from "#offchain/doors/http/client/clientAddress.ts";

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

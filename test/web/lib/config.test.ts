import { expect, test } from "vitest";
import { readConfig } from "@/lib/config.ts";

test("the development wallet is offered on the local chain only", () => {
  expect(readConfig({ BURSAR_DEV_WALLET: "1", BURSAR_CHAIN_ID: "31337" }).devWallet).toBe(true);
  expect(readConfig({ BURSAR_DEV_WALLET: "1", BURSAR_CHAIN_ID: "8453" }).devWallet).toBe(false);
  expect(readConfig({ BURSAR_CHAIN_ID: "31337" }).devWallet).toBe(false);
});
test("a trailing slash does not double in addresses", () =>
  expect(readConfig({ BURSAR_API_URL: "http://127.0.0.1:4020/" }).apiUrl).toBe("http://127.0.0.1:4020"));
test.each([
  ["BURSAR_API_URL", "javascript:alert(1)"],
  ["BURSAR_RPC_URL", "nonsense"],
  ["BURSAR_CHAIN_ID", "0"],
  ["BURSAR_TREASURY", "0x12"],
  ["BURSAR_NATIVE_COIN", "PO L"],
])("a malformed %s is named", (name, value) => expect(() => readConfig({ [name]: value })).toThrow(name));
test("the chain's coin is the one that the service is told", () => {
  expect(readConfig({}).nativeCoin).toBe("ETH");
  expect(readConfig({ BURSAR_NATIVE_COIN: "POL", BURSAR_CHAIN_ID: "137" }).nativeCoin).toBe("POL");
});

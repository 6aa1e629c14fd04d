import { expect, test } from "vitest";
import { redactor, secretsOfUrl } from "#offchain/platform/observe/secrets.ts";

const address = "https://user:pass%2Fword@node.example/v2/SECRETKEY123?apikey=SECRET456&network=main";

test("of an address with keys nothing is left that is one, in whole or in part", () => {
  const redact = redactor(secretsOfUrl(address));
  for (const text of [
    `HTTP request failed. URL: ${address}`,
    `${new URL(address).href} says no`,
    "path /v2/SECRETKEY123 and query apikey=SECRET456",
    JSON.stringify({ url: address }),
    "password pass/word or pass%2Fword",
  ])
    expect(redact(text)).not.toMatch(/SECRETKEY123|SECRET456|pass(\/|%2F)word/);
  expect(redact("node.example is away")).toBe("node.example is away");
});

test("an address without keys is shown as it is", () => {
  expect(secretsOfUrl("http://127.0.0.1:8545")).toEqual([]);
  expect(secretsOfUrl("http://node.example/rpc")).toEqual([]);
});

test("a secret that is part of another is taken out with it", () => {
  expect(redactor(["abc", "abcdef"])("abcdef abc")).toBe("(redacted) (redacted)");
  expect(redactor([])("abc")).toBe("abc");
});

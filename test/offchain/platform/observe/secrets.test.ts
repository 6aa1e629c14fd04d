import { expect, test } from "vitest";
import { createLog } from "#offchain/platform/observe/log.ts";
import { publicRedactor, redactor, secretsOfUrl } from "#offchain/platform/observe/secrets.ts";

const address = "https://user:pass%2Fword1@node.example/v2/SECRETKEY123?apikey=SECRET456&network=main";

test("of an address with keys nothing is left that is one, in whole or in part", () => {
  const redact = redactor(secretsOfUrl(address));
  for (const text of [
    `HTTP request failed. URL: ${address}`,
    `${new URL(address).href} says no`,
    "path /v2/SECRETKEY123 and query apikey=SECRET456",
    JSON.stringify({ url: address }),
    "password pass/word1 or pass%2Fword1",
  ])
    expect(redact(text)).not.toMatch(/SECRETKEY123|SECRET456|pass(\/|%2F)word1/);
  expect(redact("node.example is away on network main")).toBe("node.example is away on network main");
});

test.each(["https://KEYASUSERNAME@node.example/", "https://node.example/?token=100%25ofthesecret"])(
  "a key is found where providers put it: %s",
  (url) => {
    expect(redactor(secretsOfUrl(url))(`asked ${url}`)).not.toMatch(/KEYASUSERNAME|ofthesecret/);
  },
);

test.each([
  "http://127.0.0.1:8545",
  "http://node.example/rpc",
  "redis://127.0.0.1:6379/0?family=0",
  "postgres://bursar:bursar@127.0.0.1/postgres?sslmode=require&connect_timeout=10",
  "no address at all",
])("an address whose words are no keys hides none of them: %s", (url) => {
  expect(secretsOfUrl(url)).toEqual([]);
});

test("a line of the log stays what it is, whatever is taken out of it", () => {
  const lines: string[] = [];
  const log = createLog({
    level: "info",
    clock: { now: () => 1_795_998_308_527 },
    destination: { write: (line: string) => void lines.push(line) },
    secrets: ['quo"ted\\secret', ...secretsOfUrl(address), ...secretsOfUrl("redis://127.0.0.1/?family=0")],
  });
  log.info({ told: `${address} and quo"ted\\secret`, at10: 10 }, "require postgres bursar");
  const line = JSON.parse(lines[0] ?? "");
  expect(line).toMatchObject({ at: 1_795_998_308_527, at10: 10, message: "require postgres bursar" });
  expect(line.told).not.toMatch(/SECRET|quo/);
});

test("a secret that is part of another is taken out with it", () => {
  expect(redactor(["abcdefgh", "abcdefghij"])("abcdefghij abcdefgh")).toBe("(redacted) (redacted)");
  expect(redactor(["", "abc"])("abc")).toBe("abc");
});

test("in what others say no address keeps its user, its query or a key in its path", () => {
  const redact = publicRedactor([]);
  const told = redact(
    'no: "https://user:S3cretKey@node.example/v3/abcdef0123456789?apikey=xyz" is over its limit',
  );
  expect(told).not.toMatch(/S3cretKey|abcdef0123|xyz/);
  expect(told).toContain("node.example/v3/");
  expect(redact("http://127.0.0.1:8545 is away")).toBe("http://127.0.0.1:8545 is away");
});

test("a key of letters alone, shorter than most, is one", () => {
  expect(secretsOfUrl("https://node.example/v3/deadbeefdeadbeef")).toContain("deadbeefdeadbeef");
});

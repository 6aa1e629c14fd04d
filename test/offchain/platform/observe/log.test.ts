import { expect, it } from "vitest";
import { createLog } from "#offchain/platform/observe/log.ts";

function written(level: string) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  return { lines, log: createLog({ level, clock: { now: () => 1_234 }, destination }) };
}

it("writes one JSON object a line with the clock's time and the child's fields", () => {
  const { lines, log } = written("info");
  log.child({ requestId: "r1" }).info({ amount: 10n ** 20n }, "paid");
  expect(JSON.parse(lines[0] ?? "")).toEqual({
    level: "info",
    at: 1_234,
    service: "bursar",
    requestId: "r1",
    amount: "100000000000000000000",
    message: "paid",
  });
});

it("redacts secrets at the top and one level below", () => {
  const { lines, log } = written("info");
  log.info({ privateKey: "0xabc", headers: { authorization: "EIP712 0x" }, mnemonic: "a b c" }, "x");
  expect(lines[0]).not.toMatch(/0xabc|EIP712|a b c/);
});

it("writes an error with its stack", () => {
  const { lines, log } = written("info");
  log.error({ error: new Error("boom") }, "failed");
  expect(JSON.parse(lines[0] ?? "").error).toMatchObject({
    message: "boom",
    stack: expect.stringContaining("log.test"),
  });
});

it("keeps quiet below its level", () => {
  const { lines, log } = written("warn");
  log.info("hello");
  expect(lines).toEqual([]);
});

it("takes the configuration's secrets out of whatever is written, also out of an error's stack", () => {
  const lines: string[] = [];
  const log = createLog({
    level: "info",
    clock: { now: () => 0 },
    destination: { write: (line: string) => void lines.push(line) },
    secrets: ["SECRET456789"],
  });
  log.error(
    { err: new Error("GET http://node/?apikey=SECRET456789 failed"), deep: { er: ["SECRET456789"] } },
    "x",
  );
  expect(lines.join("")).not.toContain("SECRET456789");
  expect(JSON.parse(lines[0] ?? "").err.message).toBe("GET http://node/?(redacted) failed");
});

it("takes out what looks like a key of any address that others quote", () => {
  const { lines, log } = written("info");
  const quoted = "POST https://user:hunter22@rpc.example/v3/abc123def456?apikey=SECRET99 failed";
  log.warn({ err: new Error(quoted) }, "the provider is away");
  expect(lines[0]).not.toMatch(/hunter22|abc123def456|SECRET99/);
  expect(JSON.parse(lines[0] ?? "").err.message).toContain("rpc.example/v3/(redacted)?(redacted)");
});

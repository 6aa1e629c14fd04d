import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parseCommand } from "#offchain/platform/commandLine.ts";

const root = join(import.meta.dirname, "../../..");
const help = "node some.ts [--count <n>]";
const options = {
  count: { type: "string", default: "1" },
  json: { type: "boolean", default: false },
} as const;
const parse = (...args: string[]) => parseCommand(help, options, args);

it("gives what a command is told, and the help where it is asked for", () => {
  expect(parse("--count", "2", "--json")).toEqual({ values: { count: "2", json: true } });
  expect(parse()).toEqual({ values: { count: "1", json: false } });
  for (const asked of [["--help"], ["-h"], ["--count", "2", "--help"]])
    expect(parse(...asked)).toEqual({ exitCode: 0, says: help });
});

it("answers what it does not know in one line, with the help", () => {
  expect(parse("--port", "5")).toEqual({ exitCode: 2, says: `Unknown option '--port'\n\n${help}` });
  expect(parse("now")).toEqual({ exitCode: 2, says: `Unexpected argument 'now'\n\n${help}` });
  expect(parse("--count")).toMatchObject({
    exitCode: 2,
    says: expect.stringMatching(/^Option '--count .* missing/),
  });
});

it.each(["scripts/start.ts", "scripts/contracts/deploy.ts", "offchain/main.ts", "offchain/demo/main.ts"])(
  "%s ends with 2, and no stack trace",
  (file) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, file), "--prot", "5"], {
      encoding: "utf8",
    });
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^Unknown option '--prot'\n\n(npm|node) /);
    expect(stderr).not.toMatch(/\n {4}at /);
  },
);

it("is what every command reads its arguments with", () => {
  const others = ["scripts/**/*.ts", "offchain/**/*.ts"]
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    .filter((file) => /\bparseArgs\b|process\.argv\.includes/.test(readFileSync(join(root, file), "utf8")));
  expect(others).toEqual(["offchain/platform/commandLine.ts"]);
});

import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

const program = (work: string) => `
  import { guard } from "#offchain/platform/observe/guard.ts";
  import { createLog } from "#offchain/platform/observe/log.ts";
  guard(process, createLog({ level: "error", clock: { now: () => 0 } }));
  ${work};
  setTimeout(() => { console.log("alive"); process.exit(0); }, 50);
`;

test.each([
  ["a promise that nobody awaits", `Promise.reject(new Error("lost"))`],
  ["an error in a callback", `setTimeout(() => { throw new Error("thrown") })`],
  [
    "an emitter without a listener",
    `import("node:events").then(({ EventEmitter }) => setTimeout(() => new EventEmitter().emit("error", new Error("emitted"))))`,
  ],
])("%s is logged, and the process goes on", (_, work) => {
  const { stdout, status } = spawnSync(
    process.execPath,
    ["--input-type=module-typescript", "-e", program(work)],
    { encoding: "utf8", cwd: new URL("../../../..", import.meta.url) },
  );
  expect(status).toBe(0);
  expect(stdout).toContain("alive");
  expect(stdout).toContain("an error that nobody waited for");
});

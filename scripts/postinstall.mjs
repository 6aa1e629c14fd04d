// npm under Node 20 drops Hardhat's native part (EDR wants a newer Node), silently. npm's lifecycle PATH puts the
// pinned Node 24 first, so one more install from here adds what was dropped.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Whether Hardhat's native simulator loads under the Node that runs this. */
function nativePartLoads() {
  try {
    require(require.resolve("@nomicfoundation/edr", { paths: [require.resolve("hardhat")] }));
    return true;
  } catch {
    return false;
  }
}

if (!nativePartLoads() && process.env.BURSAR_REINSTALL !== "1") {
  const { status } = spawnSync("npm", ["install", "--no-audit", "--no-fund"], {
    stdio: "inherit",
    env: { ...process.env, BURSAR_REINSTALL: "1" },
    shell: process.platform === "win32",
  });
  process.exitCode = status ?? 1;
}

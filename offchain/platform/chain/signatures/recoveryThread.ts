import { parentPort } from "node:worker_threads";
import { recoverPublicKeys } from "./curve.ts";
import type { RecoveryTask } from "./recovery.ts";

parentPort?.on("message", ({ digests, signatures }: RecoveryTask) => {
  const keys = recoverPublicKeys(digests, signatures);
  parentPort?.postMessage(keys, [keys.buffer as ArrayBuffer]);
});

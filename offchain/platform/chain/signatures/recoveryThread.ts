import { parentPort } from "node:worker_threads";
import type { RecoveryTask } from "./recovery.ts";
import { recoverPublicKeys } from "./secp256k1.ts";

parentPort?.on("message", ({ digests, signatures }: RecoveryTask) => {
  const keys = recoverPublicKeys(digests, signatures);
  parentPort?.postMessage(keys, [keys.buffer as ArrayBuffer]);
});

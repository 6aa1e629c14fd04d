import { parentPort } from "node:worker_threads";
import { recoverPublicKeys } from "#offchain/platform/chain/signatures/curve.ts";
import type { RecoveryTask } from "#offchain/platform/chain/signatures/recovery.ts";

// Answers as the real thread does, and dies of a digest that begins with 0xdead.
parentPort?.on("message", ({ digests, signatures }: RecoveryTask) => {
  if (digests[0] === 0xde && digests[1] === 0xad) process.exit(1);
  const keys = recoverPublicKeys(digests, signatures);
  parentPort?.postMessage(keys, [keys.buffer as ArrayBuffer]);
});

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { DatabaseOptions } from "#offchain/platform/database/database.ts";
import type { Address } from "./node.ts";

/** What a child process is told. */
export interface ChildTask {
  readonly rpcUrl: string;
  readonly connection: DatabaseOptions["connection"];
  readonly token: Address;
}

/** Runs a file of this folder as a process of its own, which a test may kill. */
export function spawnChild(file: string, task: ChildTask & Record<string, unknown>): ChildProcess {
  return spawn(process.execPath, [join(import.meta.dirname, file), JSON.stringify(task)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** The task of this process. */
export function childTask<task extends ChildTask>(): task {
  return JSON.parse(process.argv[2] ?? "{}") as task;
}

/** Resolves with how the process ended. */
export async function ended(child: ChildProcess): Promise<NodeJS.Signals | number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.signalCode ?? child.exitCode;
}

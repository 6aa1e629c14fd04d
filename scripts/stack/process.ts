import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { setPriority } from "node:os";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** A program of the stack, in its own process group so that a Ctrl-C reaches only the starter. */
export interface Program {
  readonly name: string;
  readonly child: ChildProcess;
  /** Resolves with the exit code, or the signal's name, when it is gone. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** SIGTERM, and SIGKILL to the whole group when it does not go. */
  stop(): Promise<void>;
}

export interface ProgramOptions {
  name: string;
  command: string;
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** Where its output goes; absent: nowhere. */
  logFile?: string;
  onLine?: (line: string) => void;
  /** Leaves most of the processor to whoever else of the stack wants it. */
  isPolite?: boolean;
}

/** A third of what the others get: on a machine that is busy with something else, it must not starve. */
const politeNiceness = 5;

/** How long a program may take to stop in order. */
const stopTimeoutMs = 15_000;

export function startProgram(options: ProgramOptions): Program {
  const { name, command, args, env, logFile, onLine, isPolite = false } = options;
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (isPolite && child.pid !== undefined) bePolite(child.pid);
  if (logFile) {
    mkdirSync(dirname(logFile), { recursive: true });
    const log = createWriteStream(logFile, { flags: "a" });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
  } else if (!onLine) {
    child.stdout?.resume();
    child.stderr?.resume();
  }
  if (onLine) eachLine(child, onLine);
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once("error", () => resolve(127));
    child.once("exit", (code, signal) => resolve(signal ?? code ?? 0));
  });
  return { name, child, exited, stop: () => stop(child, exited) };
}

function bePolite(pid: number): void {
  try {
    setPriority(pid, politeNiceness);
  } catch {
    // Already gone, or a system that does not let us: then it is as fast as the others.
  }
}

function eachLine(child: ChildProcess, onLine: (line: string) => void): void {
  let rest = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  });
}

async function stop(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill("SIGTERM");
  const late = new AbortController();
  const went = await Promise.race([
    exited.then(() => true),
    delay(stopTimeoutMs, false, { signal: late.signal }).catch(() => true),
  ]);
  late.abort();
  if (!went) process.kill(-child.pid, "SIGKILL");
  await exited;
}

/** A program that should be up did not come up; carries the end of its log. */
export class NotReady extends Error {
  override readonly name = "NotReady";
}

/** Asks again until `probe` answers true, the program dies, or the time is over. */
export async function untilReady(
  program: Program,
  probe: () => Promise<boolean>,
  options: { timeoutMs: number; lastWords?: () => Promise<string> },
): Promise<void> {
  const deadline = Date.now() + options.timeoutMs;
  let gone: number | NodeJS.Signals | null = null;
  void program.exited.then((code) => {
    gone = code;
  });
  while (!(await probe().catch(() => false))) {
    if (gone === null && Date.now() < deadline) {
      await delay(50);
      continue;
    }
    const why = gone === null ? `is not up after ${options.timeoutMs} ms` : `ended with ${gone}`;
    throw new NotReady(`${program.name} ${why}\n${(await options.lastWords?.()) ?? ""}`.trimEnd());
  }
}

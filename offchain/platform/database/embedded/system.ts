import { spawn } from "node:child_process";
import { stat } from "node:fs/promises";

/** PostgreSQL could not be started; the message is the server's own last words. */
export class PostgresStartError extends Error {
  override readonly name = "PostgresStartError";
}

/** Whom the server runs as when we are root, which PostgreSQL refuses to be: nobody. */
export const nobody = 65_534;

export const isRoot = () => process.getuid?.() === 0;

export const asServerUser = () => (isRoot() ? { uid: nobody, gid: nobody } : {});

export const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // ESRCH: there is no such process; EPERM: there is one, of somebody else.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

export async function run(program: string, args: string[]): Promise<void> {
  const child = spawn(program, args, { ...asServerUser(), cwd: "/", stdio: ["ignore", "ignore", "pipe"] });
  let words = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    words += chunk.toString();
  });
  const code = await new Promise<number | null>((done, fail) => {
    child.once("error", fail);
    child.once("exit", done);
  });
  if (code !== 0) throw new PostgresStartError(`${program} failed with ${code}: ${words.trim()}`);
}

import { createHash } from "node:crypto";
import { access, constants, mkdir, realpath, rm } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The data folder cannot be used; the message says what to do. */
export class DataFolderUnusable extends Error {
  override readonly name = "DataFolderUnusable";
}

const advice: Readonly<Record<string, string>> = {
  EACCES: "this user may not write there: change its owner",
  EPERM: "this user may not write there: change its owner",
  EROFS: "its file system is read-only: mount it for writing",
  ENOTDIR: "a part of the path is a file: rename it",
  EEXIST: "it is a file: rename it",
  ENOSPC: "the disk is full: make room",
};

/**
 * Makes the folder, and claims it for this process: two starts on one database would take it for two chains.
 * @returns what gives it back; the end of the process does, too.
 * @throws DataFolderUnusable
 */
export async function claimDataFolder(dataDir: string): Promise<() => Promise<void>> {
  try {
    await mkdir(dataDir, { recursive: true });
    await access(dataDir, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    const why = advice[code];
    throw new DataFolderUnusable(
      `the data folder ${dataDir} cannot be used: ${why ?? message}, or choose another by --data <folder>`,
      { cause: error },
    );
  }
  const socket = await socketOf(dataDir);
  const owner = await ask(socket);
  if (owner !== null)
    throw new DataFolderUnusable(
      `Bursar already runs on the data folder ${dataDir} (process ${owner}): stop it (Ctrl-C there, or kill ${owner}), or start this one with --data <another folder>`,
    );
  // What answers nobody was left by a process that was killed.
  if (process.platform !== "win32") await rm(socket, { force: true });
  const server = await listen(socket);
  return () => new Promise((done) => server.close(() => done()));
}

/** Socket paths are short, so it lies in the temporary folder, named after the data folder. */
async function socketOf(dataDir: string): Promise<string> {
  const name = createHash("sha256")
    .update(await realpath(dataDir))
    .digest("hex");
  const file = `bursar-start-${name.slice(0, 16)}`;
  return process.platform === "win32" ? `\\\\.\\pipe\\${file}` : join(tmpdir(), `${file}.sock`);
}

/** The process that holds the socket; null if none does. */
function ask(socket: string): Promise<string | null> {
  return new Promise((resolve) => {
    let answer = "";
    const connection = connect(socket);
    connection.on("data", (chunk: Buffer) => {
      answer += chunk.toString();
    });
    connection.once("end", () => resolve(answer));
    connection.once("error", () => resolve(null));
  });
}

function listen(socket: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((connection) => {
      connection.on("error", () => {});
      connection.end(String(process.pid));
    });
    server.once("error", reject);
    server.listen(socket, () => resolve(server));
    server.unref();
  });
}

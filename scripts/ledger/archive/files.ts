import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";

/** What the first line of a chain names as the one before it. */
export const noHash = "0".repeat(64);

/** Lines of one file or several, each of which carries the SHA-256 of the line before it. */
export interface Chained {
  /** In their order. */
  readonly files: readonly string[];
  readonly lines: number;
  /** Of the last line. */
  readonly hash: string;
}

/** Where the next archive goes on. Numbers as text. */
export interface Cursor {
  readonly payment: string;
  readonly transfer: string;
  /** By unit. */
  readonly heights: Readonly<Record<string, string>>;
}

/** A chain that was followed. */
export interface ArchivedChain {
  /** The hash of its first block. */
  readonly genesis: string;
  /** The contract that vouchers are signed for. */
  readonly settlement: string;
  /** The block up to which it was followed. */
  readonly indexedTo: string;
}

/** `head.json`: everything that is in the archive. A file that it does not name was not finished. */
export interface Head {
  readonly format: "bursar-archive-1";
  /** Epoch ms. */
  readonly takenAt: number;
  /** By chain id. */
  readonly chains: Readonly<Record<string, ArchivedChain>>;
  /** What never changes once it is written: accepted vouchers, and the ledger's transfers. */
  readonly journal: Chained;
  /** What stood when the archive was taken. */
  readonly state: Chained;
  readonly cursor: Cursor;
}

export type Line = { readonly previous: string; readonly kind: string } & Readonly<Record<string, unknown>>;

/** What is wrong with an archive, and where. */
export class ArchiveFault extends Error {
  override readonly name = "ArchiveFault";
}

export const hashOf = (line: string): string => createHash("sha256").update(line).digest("hex");

/** @returns null when nothing was archived there yet. @throws ArchiveFault */
export async function readHead(folder: string): Promise<Head | null> {
  const text = await readFile(join(folder, "head.json"), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (text === null) return null;
  const head = JSON.parse(text) as Head;
  if (head.format !== "bursar-archive-1")
    throw new ArchiveFault(`${folder} is of the format ${head.format}, which is not known here`);
  return head;
}

/** In one step: an archive that is broken off is the one before it. */
export async function writeHead(folder: string, head: Head): Promise<void> {
  const unfinished = join(folder, "head.json.part");
  const file = await open(unfinished, "w");
  await file.writeFile(`${JSON.stringify(head, null, 2)}\n`);
  await file.sync();
  await file.close();
  await rename(unfinished, join(folder, "head.json"));
}

/** Writes one file, which continues a chain. */
export class ChainWriter {
  #lines: number;
  #hash: string;
  readonly #before: Chained;
  readonly #name: string;
  readonly #file: FileHandle;

  private constructor(before: Chained, name: string, file: FileHandle) {
    this.#before = before;
    this.#name = name;
    this.#file = file;
    this.#lines = before.lines;
    this.#hash = before.hash;
  }

  /** @param before what it continues */
  static async open(
    folder: string,
    name: string,
    before: Chained = { files: [], lines: 0, hash: noHash },
  ): Promise<ChainWriter> {
    await mkdir(folder, { recursive: true });
    return new ChainWriter(before, name, await open(join(folder, name), "w"));
  }

  /** @param bodies objects as JSON text, each with its kind first */
  async write(bodies: readonly string[]): Promise<void> {
    const lines = bodies.map((body) => {
      const line = `{"previous":"${this.#hash}",${body.slice(1)}`;
      this.#hash = hashOf(line);
      return `${line}\n`;
    });
    this.#lines += lines.length;
    await this.#file.appendFile(lines.join(""));
  }

  /** Resolves once everything is on the disk. */
  async end(): Promise<Chained> {
    await this.#file.sync();
    await this.#file.close();
    const hasMore = this.#lines > this.#before.lines;
    return {
      files: hasMore ? [...this.#before.files, this.#name] : this.#before.files,
      lines: this.#lines,
      hash: this.#hash,
    };
  }
}

/** One line with its text. */
export interface Read {
  readonly line: Line;
  readonly text: string;
}

/** Reads a chain in its order and checks each line against the one before it, and the last one against the head. @throws ArchiveFault */
export async function* readChain(folder: string, { files, lines, hash }: Chained): AsyncGenerator<Read> {
  let [previous, count] = [noHash, 0];
  for (const file of files) {
    let number = 0;
    for await (const text of linesOf(join(folder, file))) {
      number += 1;
      const line = parsed(text, `${file}:${number}`);
      if (line.previous !== previous)
        throw new ArchiveFault(`${file}:${number} does not continue the line before it`);
      previous = hashOf(text);
      count += 1;
      yield { line, text };
    }
  }
  if (previous !== hash || count !== lines)
    throw new ArchiveFault(
      `head.json names ${lines} lines that end with ${hash}; there are ${count}, and ${previous}`,
    );
}

/** By line feeds alone: JSON texts may hold what else ends a line in Unicode. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of createReadStream(path, { encoding: "utf8" })) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

function parsed(text: string, place: string): Line {
  try {
    return JSON.parse(text) as Line;
  } catch {
    throw new ArchiveFault(`${place} is no JSON`);
  }
}

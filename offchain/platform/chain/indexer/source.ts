import { type Address, type Hash, type Hex, zeroHash } from "viem";
import { BursarError } from "#offchain/core/error.ts";
import type { Rpc } from "../client/rpc.ts";
import { bloomOf, bloomPositions, isThin, mayHoldLogs } from "./bloom.ts";

/** What the indexer needs of a block's header. */
export interface Header {
  number: number;
  hash: Hash;
  parentHash: Hash;
  /** Epoch ms. */
  blockAt: number;
  logsBloom: Hex;
}

/** A log as the provider wrote it, its numbers read. */
export interface RawLog {
  blockNumber: number;
  blockHash: Hash;
  /** Epoch ms. */
  blockAt: number;
  transactionHash: Hash;
  transactionIndex: number;
  logIndex: number;
  /** Lower case. */
  address: Address;
  topics: readonly Hex[];
  data: Hex;
}

/** Everything that happened in the blocks `from` to `to`. */
export interface BlockRange {
  from: number;
  to: number;
  /** In the chain's order. */
  logs: readonly RawLog[];
  /** Ascending: the last block, every block with a log, and every block at or above the unsafe line. */
  headers: readonly Header[];
}

/** Which logs are wanted. */
export interface LogFilter {
  readonly addresses: readonly Address[];
  readonly topics: readonly Hex[];
}

/** The provider's answers do not fit together: it reorganised meanwhile, or shows different nodes' views. Ask again. */
export class ViewShifted extends Error {
  override readonly name = "ViewShifted";
}

/** Reads a chain's blocks and logs, and vouches that what it returns is one consistent view. */
export class LogSource {
  readonly #rpc: Rpc;
  readonly #filter: LogFilter;
  readonly #addressBits: readonly (readonly number[])[];
  readonly #topicBits: readonly (readonly number[])[];

  constructor(rpc: Rpc, filter: LogFilter) {
    this.#rpc = rpc;
    this.#filter = filter;
    this.#addressBits = filter.addresses.map((address) => bloomPositions(address));
    this.#topicBits = filter.topics.map((topic) => bloomPositions(topic));
  }

  async chainId(): Promise<number> {
    return Number(await this.#rpc.call("eth_chainId", []));
  }

  /** A block's header; null if the provider does not know the block. */
  async header(block: number | "latest"): Promise<Header | null> {
    const [header] = await this.#headers([block]);
    return header ?? null;
  }

  /** Headers in the order of the blocks; null where the provider does not know one. */
  headers(blocks: readonly number[]): Promise<(Header | null)[]> {
    return this.#headers(blocks);
  }

  async #headers(blocks: readonly (number | "latest")[]): Promise<(Header | null)[]> {
    if (blocks.length === 0) return [];
    const found = await this.#rpc.batch(
      blocks.map((block) => ({
        method: "eth_getBlockByNumber",
        params: [block === "latest" ? block : toHex(block), false],
      })),
    );
    return found.map((block, index) => {
      const header = toHeader(block);
      const asked = blocks[index];
      if (header && asked !== "latest" && header.number !== asked)
        shifted(`asked for block ${asked}, the provider tells of ${header.number}`);
      return header;
    });
  }

  /**
   * Logs and headers of the blocks `from` to `to`; every block at or above `unsafeFrom` is checked by its hash, its
   * parent and its bloom.
   * @throws ViewShifted when the answers contradict each other
   */
  async range(from: number, to: number, unsafeFrom: number): Promise<BlockRange> {
    const unsafe = blocksBetween(Math.max(from, unsafeFrom), to);
    const [logs, unsafeHeaders] = await Promise.all([this.#logs(from, to), this.headers(unsafe)]);
    const known = new Map<number, Header | null>(
      unsafe.map((block, index) => [block, unsafeHeaders[index] ?? null]),
    );
    const missing = [...new Set([...logs.map((log) => log.blockNumber), to])].filter(
      (block) => !known.has(block),
    );
    const missingHeaders = await this.headers(missing);
    for (const [index, block] of missing.entries()) known.set(block, missingHeaders[index] ?? null);

    const headers = [...known.entries()]
      .toSorted(([one], [other]) => one - other)
      .map(([block, header]) => header ?? shifted(`block ${block} is missing`));
    const all = [...logs, ...(await this.#overlooked(headers, logs))].toSorted(byPosition);
    date(all, assertConsistent(headers, all));
    return { from, to, logs: all, headers };
  }

  async #logs(from: number, to: number): Promise<RawLog[]> {
    return this.#request({ fromBlock: toHex(from), toBlock: toHex(to) });
  }

  /** Logs of blocks whose bloom promises some although the range query showed none. */
  async #overlooked(headers: readonly Header[], logs: readonly RawLog[]): Promise<RawLog[]> {
    const seen = new Set(logs.map((log) => log.blockNumber));
    const suspicious = headers.filter(
      (header) =>
        !seen.has(header.number) && mayHoldLogs(header.logsBloom, this.#addressBits, this.#topicBits),
    );
    const found = await Promise.all(suspicious.map((header) => this.#logsOf(header)));
    return found.flat();
  }

  /**
   * Asked for by hash, a block that the provider has is whole. A provider that shows none all the same is asked for all of
   * the block's logs, which the bloom proves or refutes. On a busy chain a full bloom says nothing, and is believed.
   */
  async #logsOf({ hash, number, logsBloom }: Header): Promise<RawLog[]> {
    const wanted = await this.#request({ blockHash: hash });
    if (wanted.length > 0 || !isThin(logsBloom)) return wanted;
    const all = await this.#ask({ blockHash: hash });
    if (bloomOf(all) !== logsBloom) shifted(`the provider leaves out logs of block ${number}`);
    return all.filter((log) => this.#isWanted(log));
  }

  #isWanted({ address, topics: [topic] }: RawLog): boolean {
    const { addresses, topics } = this.#filter;
    return (
      topic !== undefined &&
      topics.includes(topic) &&
      addresses.some((wanted) => wanted.toLowerCase() === address)
    );
  }

  async #request(where: { fromBlock: Hex; toBlock: Hex } | { blockHash: Hash }): Promise<RawLog[]> {
    const { addresses, topics } = this.#filter;
    return this.#ask({ ...where, address: addresses, topics: [topics] });
  }

  async #ask(filter: object): Promise<RawLog[]> {
    const logs = await this.#rpc.call("eth_getLogs", [filter]);
    if (!Array.isArray(logs)) return shifted("logs are not a list");
    return (logs as WireLog[]).map(toLog);
  }
}

/** A log as JSON-RPC carries it (ethereum/execution-apis, `Log`). */
interface WireLog {
  blockNumber: Hex | null;
  blockHash: Hash | null;
  transactionHash: Hash | null;
  transactionIndex: Hex | null;
  logIndex: Hex | null;
  address: Address;
  topics: Hex[];
  data: Hex;
  removed?: boolean;
}

function toLog(log: WireLog): RawLog {
  const { blockNumber, blockHash, transactionHash, logIndex } = log;
  if (
    blockNumber === null ||
    blockHash === null ||
    transactionHash === null ||
    logIndex === null ||
    log.removed
  )
    return shifted("a log is pending or removed");
  return {
    blockNumber: Number(blockNumber),
    blockHash,
    // The header says it, once it is there.
    blockAt: 0,
    transactionHash,
    transactionIndex: Number(log.transactionIndex),
    logIndex: Number(logIndex),
    address: log.address.toLowerCase() as Address,
    topics: log.topics,
    data: log.data,
  };
}

function toHeader(block: unknown): Header | null {
  if (typeof block !== "object" || block === null) return null;
  const { number, hash, parentHash, timestamp, logsBloom } = block as Record<string, Hex | null>;
  if (!number || !hash || !parentHash || !timestamp || !logsBloom) return null;
  return {
    number: Number(number),
    hash,
    parentHash,
    blockAt: Number(timestamp) * 1_000,
    logsBloom,
  };
}

/** Gives each log its block's time. */
function date(logs: readonly RawLog[], headers: ReadonlyMap<number, Header>): void {
  for (const log of logs) log.blockAt = headers.get(log.blockNumber)?.blockAt ?? 0;
}

/** @returns the headers by number */
function assertConsistent(headers: readonly Header[], logs: readonly RawLog[]): ReadonlyMap<number, Header> {
  let previous: Header | undefined;
  const byNumber = new Map<number, Header>();
  for (const header of headers) {
    byNumber.set(header.number, header);
    if (previous?.number === header.number - 1 && !follows(header, previous.hash))
      shifted(`block ${header.number} does not follow ${previous.number}`);
    previous = header;
  }
  let last: RawLog | undefined;
  for (const log of logs) {
    if (byNumber.get(log.blockNumber)?.hash !== log.blockHash)
      shifted(`a log of block ${log.blockNumber} is of another fork`);
    if (last && byPosition(last, log) === 0)
      shifted(`log ${log.logIndex} of block ${log.blockNumber} came twice`);
    last = log;
  }
  return byNumber;
}

/**
 * Whether the block's parent is the one with this hash. Blocks of `hardhat_mine` carry no parent at all: about them the
 * header says nothing, and the checkpoint's own hash must do.
 */
export function follows(header: Header, hash: Hash): boolean {
  return header.parentHash === hash || header.parentHash === zeroHash;
}

function byPosition(one: RawLog, other: RawLog): number {
  return one.blockNumber - other.blockNumber || one.logIndex - other.logIndex;
}

function blocksBetween(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}

function shifted(what: string): never {
  throw new ViewShifted(what);
}

function toHex(block: number): Hex {
  return `0x${block.toString(16)}`;
}

/** Whether no retry can help. */
export function isConfiguration(error: unknown): boolean {
  return (
    error instanceof BursarError &&
    (error.code === "NETWORK_MISMATCH" || error.code === "CHAIN_REINDEX_NEEDED")
  );
}

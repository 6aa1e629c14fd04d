import type { Random } from "#offchain/demo/random.ts";

/** One JSON-RPC call, as it came. */
export interface Call {
  id: number | string;
  method: string;
  params?: unknown[];
}

/** One JSON-RPC answer. */
export interface Reply {
  id: number | string;
  jsonrpc?: "2.0";
  result?: unknown;
  error?: { code: number; message: string };
}

/** What happens to one call of an exchange. */
export type CallFault =
  /** The call alone is rate limited, in an answer of status 200. */
  | "callRateLimit"
  /** `eth_getLogs` over several blocks is refused as too large, as providers do. */
  | "tooManyResults"
  /** `latest` is a block that the chain does not have. */
  | "latestAhead"
  /** `latest` is a block that stopped being it a while ago. */
  | "latestBehind"
  /** Logs come in any order. */
  | "shuffledLogs"
  /** Logs of the newest blocks are missing from a range: the node that was asked has not seen them. */
  | "laggingLogs"
  /** A block is null although the chain has it. */
  | "missingBlock"
  /** A receipt is null although the transaction is mined. */
  | "missingReceipt"
  /** A log is of a block that is not on the chain. */
  | "foreignLog"
  /** A block's answer is another, older block. */
  | "wrongBlock";

/** How far a lying `latest` is off, and how many of the newest blocks a lagging node has not seen. */
const lieBlocks = 4;

export interface Tampering {
  readonly random: Random;
  strikes(fault: CallFault): boolean;
  /** Asks the chain itself. */
  call(method: string, params: unknown[]): Promise<unknown>;
}

interface Block {
  number: string;
  hash: string;
  [field: string]: unknown;
}

interface Log {
  blockNumber: string;
  blockHash: string;
  [field: string]: unknown;
}

/** The chain's reply as the provider tells it. */
export async function tamper(by: Tampering, call: Call, reply: Reply): Promise<Reply> {
  if (by.strikes("callRateLimit")) return failed(call, -32_005, "request limit exceeded");
  if (reply.error || reply.result === undefined) return reply;
  const tell = (result: unknown): Reply => ({ ...reply, result });
  const [first] = call.params ?? [];
  switch (call.method) {
    case "eth_blockNumber":
      return tell(hex(lieAbout(by, Number(reply.result))));
    case "eth_getBlockByNumber":
      if (first === "latest") return tell(await latest(by, call, reply.result as Block | null));
      if (reply.result !== null && by.strikes("missingBlock")) return tell(null);
      if (reply.result !== null && by.strikes("wrongBlock")) return tell(await older(by, call, first));
      return reply;
    case "eth_getTransactionReceipt":
      return reply.result !== null && by.strikes("missingReceipt") ? tell(null) : reply;
    case "eth_getLogs":
      return logs(by, call, reply, (first ?? {}) as { fromBlock?: string; toBlock?: string });
    default:
      return reply;
  }
}

async function logs(
  by: Tampering,
  call: Call,
  reply: Reply,
  { fromBlock, toBlock }: { fromBlock?: string; toBlock?: string },
): Promise<Reply> {
  let told = [...(reply.result as Log[])];
  if (fromBlock !== undefined && toBlock !== undefined) {
    if (fromBlock !== toBlock && by.strikes("tooManyResults"))
      return failed(call, -32_005, "query returned more than 10000 results");
    if (by.strikes("laggingLogs")) {
      const seen = Number(await by.call("eth_blockNumber", [])) - 1 - by.random.below(lieBlocks);
      told = told.filter(({ blockNumber }) => Number(blockNumber) <= seen);
    }
  }
  if (told.length > 1 && by.strikes("shuffledLogs")) shuffle(by.random, told);
  const [log] = told;
  if (log && by.strikes("foreignLog")) told[0] = { ...log, blockHash: foreign(log.blockHash) };
  return { ...reply, result: told };
}

async function latest(by: Tampering, call: Call, block: Block | null): Promise<Block | null> {
  if (!block) return block;
  const number = Number(block.number);
  const told = lieAbout(by, number);
  if (told === number) return block;
  if (told > number) return { ...block, number: hex(told), hash: foreign(block.hash) };
  return (await by.call("eth_getBlockByNumber", [hex(told), call.params?.[1] ?? false])) as Block | null;
}

function lieAbout(by: Tampering, head: number): number {
  if (by.strikes("latestAhead")) return head + 1 + by.random.below(lieBlocks);
  if (by.strikes("latestBehind")) return Math.max(0, head - 1 - by.random.below(lieBlocks));
  return head;
}

async function older(by: Tampering, call: Call, asked: unknown): Promise<unknown> {
  const number = Math.max(0, Number(asked) - 1 - by.random.below(lieBlocks));
  return by.call("eth_getBlockByNumber", [hex(number), call.params?.[1] ?? false]);
}

/** Fisher and Yates. */
function shuffle(random: Random, items: unknown[]): void {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = random.below(last + 1);
    [items[last], items[other]] = [items[other], items[last]];
  }
}

/** A hash that no block has: another in its first half byte, so that it stays a hash. */
const foreign = (hash: string): string => `0x${hash[2] === "f" ? "0" : "f"}${hash.slice(3)}`;

const hex = (value: number): string => `0x${value.toString(16)}`;

const failed = ({ id }: Call, code: number, message: string): Reply => ({
  jsonrpc: "2.0",
  id,
  error: { code, message },
});

// A JSON-RPC server that answers from a recorded chain, byte for byte what the node said, at no cost that matters; with
// `blocks`, a longer chain made of the recording's last block. One process of bench:indexer; says its port.
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";

/** What the server is told, as JSON in its first argument. */
export interface ChainServerTask {
  file: string;
  /** Length of the made chain; absent: the recorded one. */
  blocks?: number;
}

interface Block {
  number: string;
  hash: string;
  parentHash: string;
  timestamp: string;
  transactions: { hash: string }[];
}

/** One block as it travels. */
interface Served {
  full: string;
  /** With the transactions' hashes alone. */
  header: string;
  /** Without the brackets around. */
  logs: string;
}

interface ServedChain {
  head: number;
  at(number: number): Served | undefined;
  numberOf(hash: string): number | undefined;
}

interface Call {
  id: number | string;
  method: string;
  params: unknown[];
}

const task = JSON.parse(process.argv[2] ?? "{}") as ChainServerTask;
const chain = await load(task);
const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const asked = JSON.parse(Buffer.concat(parts).toString()) as Call | Call[];
    response.setHeader("content-type", "application/json");
    response.end(Array.isArray(asked) ? `[${asked.map(reply).join()}]` : reply(asked));
  });
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));

async function load({ file, blocks }: ChainServerTask): Promise<ServedChain> {
  const served: Served[] = [];
  const numbers = new Map<string, number>();
  let last: { block: Block; logs: unknown[] } | undefined;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    last = JSON.parse(line) as { block: Block; logs: unknown[] };
    served.push(asServed(last.block, last.logs));
    numbers.set(last.block.hash, served.length - 1);
  }
  const genesis = served[0];
  if (!last || !genesis) throw new Error(`${file} holds no chain`);
  if (blocks !== undefined) return made(last.block, asServed(last.block, last.logs), genesis, blocks);
  return {
    head: served.length - 1,
    at: (number) => served[number],
    numberOf: (hash) => numbers.get(hash),
  };
}

function asServed(block: Block, logs: unknown[]): Served {
  return {
    full: JSON.stringify(block),
    header: JSON.stringify({ ...block, transactions: block.transactions.map(({ hash }) => hash) }),
    logs: JSON.stringify(logs).slice(1, -1),
  };
}

/** Every block is the template with hashes and number of its own. */
function made(template: Block, served: Served, genesis: Served, blocks: number): ServedChain {
  const [transaction] = template.transactions;
  if (!transaction) throw new Error("the recording's last block is empty");
  const marks = [template.hash, template.parentHash, transaction.hash, template.number, template.timestamp];
  const cut = (text: string) => text.split(new RegExp(`"(${marks.join("|")})"`));
  const pieces = { full: cut(served.full), header: cut(served.header), logs: cut(served.logs) };
  const genesisHash = (JSON.parse(genesis.header) as Block).hash;
  const hashOf = (number: number, kind: string) =>
    number === 0 && kind === "b" ? genesisHash : `0x${kind}${number.toString(16).padStart(63, "0")}`;
  return {
    head: blocks,
    at(number) {
      if (number === 0) return genesis;
      if (number > blocks) return undefined;
      const own: Record<string, string> = {
        [template.hash]: hashOf(number, "b"),
        [template.parentHash]: hashOf(number - 1, "b"),
        [transaction.hash]: hashOf(number, "a"),
        [template.number]: toHex(number),
        [template.timestamp]: toHex(Number(template.timestamp) + number),
      };
      const fill = (cuts: string[]) =>
        cuts.map((piece, at) => (at % 2 ? `"${own[piece] ?? piece}"` : piece)).join("");
      return { full: fill(pieces.full), header: fill(pieces.header), logs: fill(pieces.logs) };
    },
    numberOf: (hash) =>
      hash === genesisHash ? 0 : hash[2] === "b" ? Number(`0x${hash.slice(3)}`) : undefined,
  };
}

function reply({ id, method, params }: Call): string {
  const result = answer(method, params);
  return result === undefined
    ? JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32_601, message: `${method} is not recorded` } })
    : `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`;
}

function answer(method: string, params: unknown[]): string | undefined {
  switch (method) {
    case "eth_chainId":
      return '"0x7a69"';
    case "eth_blockNumber":
      return `"${toHex(chain.head)}"`;
    case "eth_getBlockByNumber":
      return block(numberOf(params[0]), params[1] === true);
    case "eth_getBlockByHash":
      return block(chain.numberOf(params[0] as string), params[1] === true);
    case "eth_getLogs":
      return logs(params[0] as { fromBlock?: string; toBlock?: string; blockHash?: string });
    default:
      return undefined;
  }
}

function block(number: number | undefined, isFull: boolean): string {
  const found = number === undefined ? undefined : chain.at(number);
  return (isFull ? found?.full : found?.header) ?? "null";
}

/** The recording holds one contract's one event and nothing else, which is what both indexers ask for. */
function logs({
  fromBlock,
  toBlock,
  blockHash,
}: {
  fromBlock?: string;
  toBlock?: string;
  blockHash?: string;
}) {
  const of = blockHash === undefined ? undefined : (chain.numberOf(blockHash) ?? -1);
  const [from, to] = of === undefined ? [numberOf(fromBlock), numberOf(toBlock)] : [of, of];
  const found: string[] = [];
  for (let number = Math.max(0, from); number <= Math.min(to, chain.head); number += 1) {
    const part = chain.at(number)?.logs;
    if (part) found.push(part);
  }
  return `[${found.join()}]`;
}

function numberOf(tag: unknown): number {
  if (tag === "earliest") return 0;
  return typeof tag === "string" && tag.startsWith("0x") ? Number(tag) : chain.head;
}

function toHex(value: number): string {
  return `0x${value.toString(16)}`;
}

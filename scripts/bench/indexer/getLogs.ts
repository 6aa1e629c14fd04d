import type { Hex } from "viem";

/** Some 10,000 events an answer at the densest recorded chain. */
const blocksPerRequest = 100;

/**
 * Events per second that a chain gives to a client that only asks `eth_getLogs`, a range after another, and parses the
 * answers: what no indexer of this chain can exceed by one connection.
 */
export async function getLogsRate(
  rpcUrl: string,
  chain: { address: Hex; blocks: number; events: number },
): Promise<number> {
  const startedAt = performance.now();
  let events = 0;
  for (let from = 0; from < chain.blocks; from += blocksPerRequest) {
    const to = Math.min(from + blocksPerRequest, chain.blocks) - 1;
    const range = { address: chain.address, fromBlock: toHex(from), toBlock: toHex(to) };
    const response = await fetch(rpcUrl, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: from, method: "eth_getLogs", params: [range] }),
    });
    const { result } = (await response.json()) as { result: unknown[] };
    events += result.length;
  }
  if (events !== chain.events) throw new Error(`eth_getLogs gave ${events} of ${chain.events} events`);
  return (events * 1_000) / (performance.now() - startedAt);
}

const toHex = (value: number): Hex => `0x${value.toString(16)}`;

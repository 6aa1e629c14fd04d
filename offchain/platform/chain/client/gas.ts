import { medianOf, type Reading } from "#offchain/core/reading.ts";
import type { ChainReader } from "./client.ts";

/** A chain that never had a transaction has no tip to speak of. */
const medianTipPercentile = 50;

/**
 * What a transaction in the next block pays, beside the median of the last blocks: base fee (EIP-1559, eth_feeHistory
 * tells the next one) and the median tip. Wei per gas.
 */
export function gasReading(reader: Pick<ChainReader, "getFeeHistory">, blocks: number) {
  return async (): Promise<Reading | null> => {
    const { baseFeePerGas, reward } = await reader.getFeeHistory({
      blockCount: blocks,
      rewardPercentiles: [medianTipPercentile],
    });
    const next = baseFeePerGas.at(-1);
    const median = medianOf(baseFeePerGas.slice(0, -1));
    if (next === undefined || median === null) return null;
    const tip = medianOf((reward ?? []).flatMap(([one]) => one ?? [])) ?? 0n;
    return { now: next + tip, median: median + tip };
  };
}

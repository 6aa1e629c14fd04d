import { divideHalfUp, divideUp } from "#offchain/core/rounding.ts";
import { wholeBps } from "./footprint.ts";

/** A language model's answer, as its energy is estimated. */
export interface Inference {
  /** Parameters that each token passes through. */
  activeMillions: bigint;
  /** All parameters: they decide how many GPUs hold the model. Equal to the active ones for a dense model. */
  totalMillions: bigint;
  outputTokens: bigint;
  pueBps: bigint;
}

/**
 * EcoLogits' regression over the ML.ENERGY leaderboard (`ecologits/impacts/llm.py`, commit 5be90da) at its batch of 64,
 * where the exponential α·e^(64β) is a constant: per token, nJ, and for each 10⁹ active parameters, nJ.
 */
const gpuNanojoules = 145_905_413n;
const gpuNanojoulesPerBillion = 2_049_890n;
/** Time to produce a token, ns, and for each 10⁹ active parameters. */
const latencyNanoseconds = 39_437_304n;
const latencyNanosecondsPerBillion = 678_509n;
/** A server of eight 80 GB GPUs draws 1.2 kW besides them, shared by the 64 requests of a batch. */
const serverWatts = 1_200n;
const serverGpus = 8n;
const batchSize = 64n;
const gpuBytes = 80_000_000_000n;

/** GPUs that hold the weights at 16 bits with 20 % to spare, rounded up to a power of two. */
function gpusUp(totalMillions: bigint): bigint {
  const needed = divideUp(totalMillions * 1_000_000n * 2n * 12n, gpuBytes * 10n);
  let gpus = 1n;
  while (gpus < needed) gpus *= 2n;
  return gpus;
}

/** Energy of producing the output, mJ. */
export function inferenceEnergy(inference: Inference): bigint {
  const { activeMillions, totalMillions, outputTokens, pueBps } = inference;
  const gpus = gpusUp(totalMillions);
  // Everything ×1000, because parameters come in millions and the coefficients are per 10⁹.
  const gpu = gpuNanojoulesPerBillion * activeMillions + gpuNanojoules * 1_000n;
  const latency = latencyNanosecondsPerBillion * activeMillions + latencyNanoseconds * 1_000n;
  const shares = serverGpus * batchSize;
  const perToken = gpu * gpus * shares + serverWatts * gpus * latency;
  return divideHalfUp(perToken * outputTokens * pueBps, 1_000n * shares * wholeBps * 1_000_000n);
}

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Inference, inferenceEnergy } from "#offchain/features/carbon/rules/inference.ts";

/**
 * EcoLogits' own formulas with its own constants, in floating point and kWh, as its methodology page and
 * `ecologits/impacts/llm.py` write them:
 *   gpu energy per token   α·e^(β·64)·P + γ           Wh
 *   time per token         α'·P + β'·64 + γ'          s
 *   gpus                   1.2 · 2 bytes · P_total / 80 GB, up to a power of two
 *   request                PUE · (tokens · time · 1.2 kW · gpus / 8 / 64 + gpus · tokens · gpu energy)
 */
function ecologits({ activeMillions, totalMillions, outputTokens, pueBps }: Inference): number {
  const [active, total] = [Number(activeMillions) / 1_000, Number(totalMillions) / 1_000];
  const tokens = Number(outputTokens);
  const batch = 64;
  const gpuWh =
    1.1665273170451914e-6 * Math.exp(-0.011205921025579175 * batch) * active + 4.052928146734005e-5;
  const seconds = 0.0006785088094353663 * active + 0.0003119310311688259 * batch + 0.019473717579473387;
  const needed = Math.ceil((1.2 * total * 16) / 8 / 80);
  const gpus = 2 ** Math.ceil(Math.log2(Math.max(1, needed)));
  const serverKwh = ((tokens * seconds) / 3_600) * 1.2 * (gpus / 8) * (1 / batch);
  return (Number(pueBps) / 10_000) * (serverKwh + (gpus * tokens * gpuWh) / 1_000);
}

const answer = (change: Partial<Inference> = {}): Inference => ({
  activeMillions: 8_000n,
  totalMillions: 8_000n,
  outputTokens: 1_000n,
  pueBps: 12_000n,
  ...change,
});

const energyOfModel = (totalMillions: bigint) =>
  inferenceEnergy(
    answer({ activeMillions: 1_000n, totalMillions, outputTokens: 1_000_000n, pueBps: 10_000n }),
  );

describe("the energy of a model's answer", () => {
  it("is EcoLogits' to the fifth digit, whatever the model and the answer", () => {
    const inference = fc
      .record({
        activeMillions: fc.bigInt(1n, 200_000n),
        idleMillions: fc.bigInt(0n, 2_000_000n),
        outputTokens: fc.bigInt(1_000n, 1_000_000n),
        pueBps: fc.bigInt(10_000n, 20_000n),
      })
      .map(({ idleMillions, ...rest }) => ({ ...rest, totalMillions: rest.activeMillions + idleMillions }));
    fc.assert(
      fc.property(inference, (one) => {
        const kwh = Number(inferenceEnergy(one)) / 3.6e9;
        expect(Math.abs(kwh / ecologits(one) - 1)).toBeLessThan(1e-5);
      }),
    );
  });

  it("of nothing is nothing, and of one token is above nothing", () => {
    expect(inferenceEnergy(answer({ outputTokens: 0n }))).toBe(0n);
    // By hand: 0.162304533 J of one GPU + 1 200 W / 8 / 64 · 44.865376 ms = 0.105153225 J, times 1.2 = 0.3209493 J.
    expect(inferenceEnergy(answer({ outputTokens: 1n }))).toBe(321n);
  });

  it("takes as many GPUs as hold the weights with a fifth to spare, up to a power of two", () => {
    // 80 GB / (2 bytes · 1.2) = 33 333.3 million parameters on each GPU.
    const one = energyOfModel(33_333n);
    expect(energyOfModel(1_000n)).toBe(one);
    for (const [millions, gpus] of [
      [33_334n, 2n],
      [66_666n, 2n],
      [66_667n, 4n],
      [100_001n, 4n],
      [133_333n, 4n],
      [133_334n, 8n],
      [266_667n, 16n],
    ] as const) {
      const difference = energyOfModel(millions) - gpus * one;
      // Each is rounded by itself.
      expect([millions, difference <= gpus && difference >= -gpus]).toEqual([millions, true]);
    }
  });

  it("grows with tokens, with parameters in use and with the overhead of the building, and never falls", () => {
    const grown = fc.bigInt(0n, 10_000n);
    fc.assert(
      fc.property(grown, grown, grown, (tokens, active, pue) => {
        const more = answer({
          outputTokens: 1_000n + tokens,
          activeMillions: 8_000n + active,
          pueBps: 12_000n + pue,
        });
        expect(inferenceEnergy(more)).toBeGreaterThanOrEqual(inferenceEnergy(answer()));
      }),
    );
    expect(inferenceEnergy(answer({ pueBps: 24_000n }))).toBe(641_899n);
  });
});

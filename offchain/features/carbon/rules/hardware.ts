/** What a kind of hardware draws, and how much of that and of water a job on it is counted with. */
export interface Hardware {
  /** Thermal design power. */
  readonly powerWatts: bigint;
  /** Mean utilisation, 10 000 = fully busy; counted only by the `datacenter` profile. */
  readonly utilisationBps: bigint;
  /** Cooling water on site, µL per kWh of IT energy. */
  readonly waterMicrolitresPerKwh: bigint;
}

/**
 * The hardware that a job may name.
 * Power and water of H100, A100, T4, CPU are given by the task that Bursar was built for. Every other power, and all utilisations: the table of
 * AgentKern's treasury (commit f78ef91). The water of the others is that table's figure for their class
 * (GPU 2.5, TPU 2.2, network 0.5, storage 0.3 L/kWh), which is why it lies so far from those four.
 */
export const hardware = {
  H100: { powerWatts: 700n, utilisationBps: 8_000n, waterMicrolitresPerKwh: 300_000n },
  A100: { powerWatts: 400n, utilisationBps: 7_500n, waterMicrolitresPerKwh: 350_000n },
  T4: { powerWatts: 70n, utilisationBps: 9_000n, waterMicrolitresPerKwh: 300_000n },
  V100: { powerWatts: 300n, utilisationBps: 7_000n, waterMicrolitresPerKwh: 2_500_000n },
  L4: { powerWatts: 72n, utilisationBps: 8_500n, waterMicrolitresPerKwh: 2_500_000n },
  MI300X: { powerWatts: 750n, utilisationBps: 7_500n, waterMicrolitresPerKwh: 2_500_000n },
  TPUv5e: { powerWatts: 200n, utilisationBps: 8_500n, waterMicrolitresPerKwh: 2_200_000n },
  GPU: { powerWatts: 400n, utilisationBps: 10_000n, waterMicrolitresPerKwh: 2_500_000n },
  TPU: { powerWatts: 300n, utilisationBps: 10_000n, waterMicrolitresPerKwh: 2_200_000n },
  CPU: { powerWatts: 150n, utilisationBps: 10_000n, waterMicrolitresPerKwh: 400_000n },
  Network: { powerWatts: 10n, utilisationBps: 10_000n, waterMicrolitresPerKwh: 500_000n },
  Storage: { powerWatts: 5n, utilisationBps: 10_000n, waterMicrolitresPerKwh: 300_000n },
} as const satisfies Record<string, Hardware>;

export type ComputeType = keyof typeof hardware;
export const computeTypes = Object.keys(hardware) as [ComputeType, ...ComputeType[]];

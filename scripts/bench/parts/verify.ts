// One worker of bench:intake: how many voucher signatures one thread verifies, by viem or by libsecp256k1 alone.
import { parentPort, workerData } from "node:worker_threads";
import { recoverTypedDataAddress } from "viem";
import { voucherHasher } from "#offchain/features/payments/intake/voucherHash.ts";
import { recoverAddress } from "#offchain/platform/chain/signatures/secp256k1.ts";
import { batchSettlementAddress } from "#offchain/sdk/paying/channel.ts";

export interface VerifyJob {
  method: "viem" | "native";
  durationMs: number;
  chainId: number;
  vouchers: { channelId: `0x${string}`; maxClaimableAmount: bigint; signature: `0x${string}` }[];
}

const { method, durationMs, chainId, vouchers } = workerData as VerifyJob;
const hasher = voucherHasher(chainId, batchSettlementAddress);
// Hashed beforehand: the limit is the curve's, not the hash's.
const digests = vouchers.map(
  ({ channelId, maxClaimableAmount }) =>
    `0x${Buffer.from(hasher.voucherDigest(channelId, maxClaimableAmount)).toString("hex")}` as const,
);

const verify: Record<VerifyJob["method"], (at: number) => unknown> = {
  native: (at) => recoverAddress(digests[at] ?? "0x", vouchers[at]?.signature ?? "0x"),
  viem: (at) =>
    recoverTypedDataAddress({
      domain: {
        name: "x402 Batch Settlement",
        version: "1",
        chainId,
        verifyingContract: batchSettlementAddress,
      },
      types: {
        Voucher: [
          { name: "channelId", type: "bytes32" },
          { name: "maxClaimableAmount", type: "uint128" },
        ],
      },
      primaryType: "Voucher",
      message: {
        channelId: vouchers[at]?.channelId ?? "0x",
        maxClaimableAmount: vouchers[at]?.maxClaimableAmount ?? 0n,
      },
      signature: vouchers[at]?.signature ?? "0x",
    }),
};

let count = 0;
const startedAt = performance.now();
while (performance.now() - startedAt < durationMs) {
  await verify[method](count % vouchers.length);
  count += 1;
}
parentPort?.postMessage((count * 1_000) / (performance.now() - startedAt));

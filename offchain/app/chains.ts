import type { Hex } from "viem";
import { BursarError } from "#offchain/core/error.ts";
import { isDevelopmentChain } from "#offchain/core/localChain.ts";
import { coinOf } from "#offchain/core/unit.ts";
import { OpenedChain } from "#offchain/platform/chain/chain.ts";
import { chainMetrics } from "#offchain/platform/chain/metrics.ts";
import { privateKeyToSigner } from "#offchain/platform/chain/signatures/signer.ts";
import type { AnyFeature } from "#offchain/platform/feature.ts";
import type { ChainConfig, Config } from "./config.ts";
import type { Platform } from "./platform.ts";

/** The key of Hardhat's first development account, which is public: worth nothing on any other chain, and refused there. */
const developmentKey = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

/** Opens the connection to every configured chain, the default one first; none is followed yet. */
export function openChains(
  config: Config,
  platform: Platform,
  features: readonly AnyFeature[],
): OpenedChain[] {
  const metrics = chainMetrics(platform.metrics);
  const declared = features.flatMap(({ contracts }) => contracts);
  return config.chains.map(
    (chainConfig) =>
      new OpenedChain({
        chainId: chainConfig.chainId,
        rpcUrl: chainConfig.chain.rpcUrl,
        nativeCoin: coinOf(chainConfig.chain.nativeCoin),
        isDevelopment: isDevelopmentChain(chainConfig.chainId),
        operator: privateKeyToSigner(operatorKey(chainConfig)),
        sql: platform.sql,
        clock: platform.clock,
        log: platform.log.child({ chain: chainConfig.chainId }),
        metrics,
        declared,
        limits: chainConfig.chain,
        sending: chainConfig.sender,
      }),
  );
}

function operatorKey({ chainId, chain }: ChainConfig): Hex {
  if (chain.operatorKey) return chain.operatorKey;
  if (isDevelopmentChain(chainId)) return developmentKey;
  throw new BursarError(
    "VALIDATION_INVALID_INPUT",
    "BURSAR_OPERATOR_KEY must be set on every chain but the local one",
    { facts: { chainId } },
  );
}

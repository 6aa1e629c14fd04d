import type { Hex } from "viem";
import { BursarError } from "#offchain/core/error.ts";
import { nativeCoinOf } from "#offchain/core/unit.ts";
import { OpenedChain } from "#offchain/platform/chain/chain.ts";
import { chainMetrics } from "#offchain/platform/chain/metrics.ts";
import { privateKeyToSigner } from "#offchain/platform/chain/signatures/signer.ts";
import type { AnyFeature } from "#offchain/platform/feature.ts";
import type { Config } from "./config.ts";
import type { Platform } from "./platform.ts";

/** The key of Hardhat's first development account, which is public: worth nothing on any other chain, and refused there. */
const developmentKey = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const developmentChainIds = [31337, 31338];

/** Opens the connection to every configured chain, the default one first; none is followed yet. */
export function openChains(
  config: Config,
  platform: Platform,
  features: readonly AnyFeature[],
): OpenedChain[] {
  const metrics = chainMetrics(platform.metrics);
  const declared = features.flatMap(({ contracts }) => contracts);
  const { chainId: first, rpcUrl } = config.chain;
  const wanted = [{ chainId: first, rpcUrl }, ...config.chain.others];
  if (config.chain.others.some(({ chainId }) => chainId === first))
    throw new BursarError(
      "VALIDATION_INVALID_INPUT",
      `BURSAR_OTHER_CHAINS names chain ${first}, which BURSAR_CHAIN_ID names already`,
      { facts: { chainId: first } },
    );
  return wanted.map(
    ({ chainId, rpcUrl: url }) =>
      new OpenedChain({
        chainId,
        rpcUrl: url,
        nativeCoin: nativeCoinOf(chainId, config.chain.nativeCoins),
        isDevelopment: developmentChainIds.includes(chainId),
        operator: privateKeyToSigner(operatorKey(config, chainId)),
        sql: platform.sql,
        clock: platform.clock,
        log: platform.log.child({ chain: chainId }),
        metrics,
        declared,
        limits: config.chain,
        sending: config.sender,
      }),
  );
}

function operatorKey({ chain }: Config, chainId: number): Hex {
  if (chain.operatorKey) return chain.operatorKey;
  if (developmentChainIds.includes(chainId)) return developmentKey;
  throw new BursarError(
    "VALIDATION_INVALID_INPUT",
    "BURSAR_OPERATOR_KEY must be set on every chain but the local one",
    { facts: { chainId } },
  );
}

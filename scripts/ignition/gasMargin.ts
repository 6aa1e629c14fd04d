import type { HardhatPlugin } from "hardhat/types/plugins";

/**
 * Adds half to every gas estimate on the network `local`. Ignition takes an estimate as the transaction's limit, but
 * what a call costs may change before it is mined: where a contract counts time, a second that passes in between can
 * make it write a slot more.
 */
export const gasMargin: HardhatPlugin = {
  id: "bursar-gas-margin",
  hookHandlers: {
    network: async () => ({
      default: async () => ({
        async onRequest(context, connection, request, next) {
          const response = await next(context, connection, request);
          if (request.method !== "eth_estimateGas" || connection.networkName !== "local") return response;
          if (!("result" in response)) return response;
          const estimate = BigInt(response.result as string);
          return { ...response, result: `0x${(estimate + estimate / 2n).toString(16)}` };
        },
      }),
    }),
  },
};

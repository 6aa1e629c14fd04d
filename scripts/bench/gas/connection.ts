import { join } from "node:path";
import { createHardhatRuntimeEnvironment, importUserConfig } from "hardhat/hre";
import type { JsonRpcRequest } from "hardhat/types/providers";
import { changesBetween, readBuiltFrom } from "../../contracts/creationCode/builtFrom.ts";
import { fromShipped, readShipped } from "../../contracts/creationCode/shipped.ts";
import { hardhatConfig } from "../../contracts/productionBuild.ts";

const root = join(import.meta.dirname, "../../..");

/** Any moment would do, as long as it is always the same one. */
export const chainStart = "2026-01-01T00:00:00Z";

/** What makes a block of its own. */
const mining = new Set(["eth_sendTransaction", "eth_sendRawTransaction"]);

/**
 * A fresh chain in this process, for the contracts as they are deployed: by the shipped creation code, of which another
 * check sees that it is the build's. Its time is not the clock's: it begins where it is told, and every transaction's block
 * is one second after the block before, so that neither the hour nor the load of the machine is in a figure.
 * @throws when the shipped code is of other sources
 */
export async function connect(startsAt: string = chainStart) {
  const userConfig = await importUserConfig(hardhatConfig);
  const shipped = await readShipped(root);
  const [change] = shipped
    ? changesBetween(shipped, await readBuiltFrom(root, userConfig))
    : ["none is there"];
  if (change)
    throw new Error(
      `${change}: node scripts/contracts/creationCode.ts --write ships the code of the sources`,
    );
  const options = { config: hardhatConfig, buildProfile: "production" };
  const hre = await createHardhatRuntimeEnvironment(fromShipped(userConfig), options, root);
  let id = 0;
  hre.hooks.registerHandlers("network", {
    async onRequest(context, connection, request, next) {
      const ask = async (method: string, params: unknown[]) => {
        id += 1;
        const asked: JsonRpcRequest = { jsonrpc: "2.0", id: `time-${id}`, method, params };
        const answer = await next(context, connection, asked);
        if ("error" in answer) throw new Error(`${method}: ${answer.error.message}`);
        return answer.result;
      };
      if (mining.has(request.method)) {
        const latest = (await ask("eth_getBlockByNumber", ["latest", false])) as { timestamp: string };
        await ask("evm_setNextBlockTimestamp", [Number(latest.timestamp) + 1]);
      }
      return next(context, connection, request);
    },
  });
  return await hre.network.create({ override: { initialDate: startsAt } });
}

export type Connection = Awaited<ReturnType<typeof connect>>;

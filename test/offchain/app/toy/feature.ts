import type { Address } from "viem";
import { getAddress } from "viem";
import { z } from "zod";
import { testUsdcAbi } from "#contracts";
import { on } from "#offchain/platform/chain/event.ts";
import { chainFeature, type Opened } from "#offchain/platform/feature.ts";
import type { MetricsBuilder } from "#offchain/platform/observe/metrics.ts";
import { setting, whole } from "#offchain/platform/settings.ts";
import { leave, list } from "./actions.ts";
import type { Greetings } from "./service.ts";
import { all, drop, save } from "./store.ts";

const countEveryMs = 50;

/** A feature with one of everything, which the product knows nothing of: a token's transfers and agents leave greetings. */
export const greetings = chainFeature({
  name: "greetings",
  settings: {
    longest: setting("BURSAR_GREETING_LENGTH_MAX", "20", whole(1, 100), "Letters of a greeting"),
    token: setting("BURSAR_GREETING_TOKEN", undefined, z.string(), "Token whose transfers greet"),
  },
  migrations: new URL("./migrations/", import.meta.url),
  actions: [leave, list],
  metrics: ({ gauge }: MetricsBuilder) => ({ greetings: gauge("bursar_greetings", "Greetings so far") }),
  open({ sql, settings, metrics, chain: { chainId } }): Opened<Greetings> {
    const transfers = { name: "Token", abi: testUsdcAbi, addresses: [getAddress(settings.token)] };
    const of = (to: Address) => ({ by: to, words: "paid" });
    return {
      service: {
        longest: settings.longest,
        async leave(greeting) {
          await save(sql, chainId, greeting);
          return greeting;
        },
        list: () => all(sql, chainId),
      },
      handlers: [
        on(transfers, "Transfer", {
          apply: (tx, { args }) => save(tx, chainId, of(args.to)),
          retract: (tx, { args }) => drop(tx, chainId, of(args.to)),
        }),
      ],
      jobs: [
        {
          name: "count greetings",
          everyMs: countEveryMs,
          isExclusive: true,
          run: async () => metrics.greetings.set((await all(sql, chainId)).length),
        },
      ],
      checks: { greetings: async () => ({ detail: { count: (await all(sql, chainId)).length } }) },
    };
  },
});

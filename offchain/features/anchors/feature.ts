import { receiptAnchorAbi } from "#contracts";
import type { Ledger } from "#offchain/features/ledger/service.ts";
import { chainFeature, type Opened } from "#offchain/platform/feature.ts";
import { listAnchors } from "./actions/list.ts";
import { anchorHeads, openAnchors } from "./anchors.ts";
import { anchorHandlers } from "./events.ts";
import type { Anchors } from "./service.ts";
import { anchorSettings } from "./settings.ts";

/** Time between looks at whether it is time. */
const lookEveryMs = 1_000;

/** The ledger's heads, signed and anchored on the default chain: who rewrites the past would have to rewrite that as well. */
export const anchors = chainFeature({
  name: "anchors",
  migrations: new URL("./migrations/", import.meta.url),
  settings: anchorSettings,
  contracts: [{ name: "ReceiptAnchor", abi: receiptAnchorAbi, address: "receiptAnchor" }],
  actions: [listAnchors],
  open(context, { ledger }: { ledger: Ledger }): Opened<Anchors> {
    const { sql, clock, chain, settings } = context;
    const { chainId, contracts, operator, sender } = chain;
    const [address, runId] = [contracts.receiptAnchor, () => chain.runId()];
    const service = openAnchors({ sql, clock, runId });
    // One ledger, whatever the number of chains.
    const isAnchored = chainId === context.defaultChainId;
    return {
      service,
      handlers: anchorHandlers(address),
      checks: {
        anchors: async () => {
          const problem = isAnchored ? await service.problem() : null;
          return problem === null ? {} : { status: "degraded", detail: { problem } };
        },
      },
      jobs: isAnchored
        ? [
            {
              name: "anchor",
              everyMs: Math.min(lookEveryMs, settings.everyMs),
              isExclusive: true,
              run: () =>
                anchorHeads({
                  sql,
                  clock,
                  ledger,
                  sender,
                  signer: operator,
                  address,
                  chainId,
                  runId,
                  everyMs: settings.everyMs,
                }),
            },
          ]
        : [],
    };
  },
});

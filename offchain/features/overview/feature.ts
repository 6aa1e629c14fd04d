import type { Agents } from "#offchain/features/agents/service.ts";
import type { Carbon } from "#offchain/features/carbon/service.ts";
import type { Clearings } from "#offchain/features/clearing/service.ts";
import type { Energy } from "#offchain/features/energy/service.ts";
import type { Ledger } from "#offchain/features/ledger/service.ts";
import type { Payments } from "#offchain/features/payments/service.ts";
import type { Treasuries } from "#offchain/features/treasury/service.ts";
import { openTokens } from "#offchain/platform/chain/contracts/tokens.ts";
import { chainFeature, type Opened } from "#offchain/platform/feature.ts";
import { shareNext } from "#offchain/platform/jobs/shareNext.ts";
import { Rate } from "#offchain/platform/observe/rate.ts";
import { listWallets as listWalletsAction } from "./actions/listWallets.ts";
import { showOverview as showOverviewAction } from "./actions/show.ts";
import { Announcer } from "./announce.ts";
import { openChainFacts } from "./chainFacts.ts";
import { showOverview } from "./overview.ts";
import type { Overviews } from "./service.ts";
import { listWallets } from "./wallets.ts";

const announceEveryMs = 250;
/** However many ask for the overview, and anybody may: they share its reads, which rest four times as long as they take. */
const showRestTimes = 4;

interface Needs {
  readonly agents: Agents;
  readonly ledger: Ledger;
  readonly carbon: Carbon;
  readonly energy: Energy;
  readonly payments: Payments;
  readonly clearing: Clearings;
  readonly treasury: Treasuries;
}

/** What a page shows at a glance, and what the live stream tells. */
export const overview = chainFeature({
  name: "overview",
  actions: [showOverviewAction, listWalletsAction],
  open({ clock, bus, chain }, needs: Needs): Opened<Overviews> {
    const { payments, treasury } = needs;
    const { view, contracts, operator } = chain;
    const tokens = openTokens(chain.known, chain.nativeCoin);
    const facts = openChainFacts({
      client: chain.client.reader,
      view,
      clock,
      usdc: contracts.usdc,
      treasury,
    });
    const rate = new Rate(clock);
    const announcer = new Announcer({ bus, clock, view, rate, payments, treasury });
    payments.onAccepted((count, value, unit) => announcer.paid(count, value, unit));
    return {
      service: {
        show: shareNext(
          () =>
            showOverview({
              ...needs,
              clock,
              view,
              facts,
              usdc: tokens.unitOf(contracts.usdc),
              rate: () => rate.perSecond(),
            }),
          0,
          showRestTimes,
        ),
        wallets: (query, caller) =>
          listWallets(query, caller, {
            ...needs,
            facts,
            tokens,
            figures: payments.figures,
            runId: () => view.runNow(),
            addresses: contracts,
            operator: operator.address,
          }),
      },
      jobs: [{ name: "announce", everyMs: announceEveryMs, run: () => announcer.announce() }],
    };
  },
});

import type { Energy } from "#offchain/features/energy/service.ts";
import type { Payments } from "#offchain/features/payments/service.ts";
import type { Treasuries } from "#offchain/features/treasury/service.ts";
import { chainFeature, type Opened } from "#offchain/platform/feature.ts";
import { Rate } from "#offchain/platform/observe/rate.ts";
import { listWallets } from "./actions/listWallets.ts";
import { showOverview } from "./actions/show.ts";
import { Announcer } from "./announce.ts";
import { openOverviews } from "./overview.ts";
import type { Overviews } from "./service.ts";

const announceEveryMs = 250;

/** What a page shows at a glance, and what the live stream tells. */
export const overview = chainFeature({
  name: "overview",
  actions: [showOverview, listWallets],
  open(
    context,
    { payments, treasury, energy }: { payments: Payments; treasury: Treasuries; energy: Energy },
  ): Opened<Overviews> {
    const { sql, clock, bus, chain } = context;
    const { view, operator } = chain;
    const rate = new Rate(clock);
    const announcer = new Announcer({ sql, bus, clock, view, rate });
    payments.onAccepted((count, value) => announcer.paid(count, value));
    const service = openOverviews({
      sql,
      clock,
      view,
      client: chain.client.reader,
      treasury,
      energy,
      addresses: chain.contracts,
      holders: [{ address: operator.address, name: "Operator", kind: "operator" }],
      limits: payments.policy,
      rate: () => rate.perSecond(),
      standIns: [],
    });
    return {
      service,
      jobs: [{ name: "announce", everyMs: announceEveryMs, run: () => announcer.announce() }],
    };
  },
});

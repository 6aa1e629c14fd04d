import { chainFeature, type Opened } from "#offchain/platform/feature.ts";
import { listEvents } from "./actions/list.ts";
import { openEvents } from "./feed.ts";
import type { Events } from "./service.ts";

/** The chain's events as one feed that anybody may follow from any point. */
export const events = chainFeature({
  name: "events",
  actions: [listEvents],
  open: ({ sql, chain }): Opened<Events> => ({
    service: openEvents({ sql, view: chain.view, known: chain.known }),
  }),
});

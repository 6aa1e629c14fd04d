import { clearingAbi } from "#contracts";
import type { HubBooks } from "#offchain/features/payments/service.ts";
import { type ChainEvent, type EventSource, type Handler, on } from "#offchain/platform/chain/event.ts";
import type { Tx } from "#offchain/platform/database/database.ts";
import { dropChallenge, isChallengeWon, saveChallenge, setChallengeState } from "./store/challenges.ts";
import { removePayout, savePayout } from "./store/payouts.ts";
import {
  applyRootPosted,
  retractRootPaid,
  retractRootPosted,
  setRootPaid,
  setRootState,
} from "./store/roots.ts";

interface Following {
  source: EventSource<typeof clearingAbi>;
  isOurs: (event: ChainEvent<{ token: `0x${string}` }>) => boolean;
}

/** What Clearing's events do to its roots, challenges and the ledger; of the one token that channels are in. */
export function clearingHandlers(address: `0x${string}`, token: `0x${string}`, books: HubBooks): Handler[] {
  const following: Following = {
    source: { name: "Clearing", abi: clearingAbi, addresses: [address] },
    isOurs: ({ args }) => args.token.toLowerCase() === token.toLowerCase(),
  };
  return [
    ...rootHandlers(following),
    ...payoutHandlers(following, address, books),
    ...challengeHandlers(following),
  ];
}

const rootHandlers = ({ source, isOurs }: Following): Handler[] => [
  on(source, "RootPosted", {
    async apply(tx, event) {
      if (!isOurs(event)) return;
      const { epoch: number, root, total } = event.args;
      await applyRootPosted(tx, event.runId, { number: Number(number), root, total }, event.blockAt);
    },
    async retract(tx, event) {
      if (isOurs(event)) await retractRootPosted(tx, event.runId, Number(event.args.epoch));
    },
  }),
  on(source, "RootVoided", {
    async apply(tx, event) {
      if (!isOurs(event)) return;
      await setRootState(tx, event.runId, Number(event.args.epoch), "void");
      await setChallengeState(tx, event.runId, event.args.challengeId, "won");
    },
    async retract(tx, event) {
      if (!isOurs(event)) return;
      const number = Number(event.args.epoch);
      await setChallengeState(tx, event.runId, event.args.challengeId, "open");
      if (!(await isChallengeWon(tx, event.runId, number)))
        await setRootState(tx, event.runId, number, "posted");
    },
  }),
];

/**
 * Clearing paid payees. What it had claimed for them leaves the books; what it paid beyond that was the operator's own
 * money, which the books never held.
 */
function payoutHandlers({ source, isOurs }: Following, clearing: string, books: HubBooks): Handler[] {
  type Payout = ChainEvent<{ amount: bigint }>;
  async function apply(tx: Tx, event: Payout, rootNumber: number | null): Promise<void> {
    await books.lock(tx, event.runId);
    const held = await books.heldFor(tx, event.runId, clearing);
    let booked = event.args.amount;
    if (held < booked) booked = held;
    await books.changePaidOut(tx, event.runId, clearing, booked, event);
    await savePayout(tx, event.runId, event, { booked, rootNumber });
  }
  async function retract(tx: Tx, event: Payout): Promise<void> {
    await books.lock(tx, event.runId);
    const booked = await removePayout(tx, event.runId, event);
    await books.changePaidOut(tx, event.runId, clearing, -booked, event);
  }
  return [
    on(source, "Paid", {
      async apply(tx, event) {
        if (isOurs(event)) await apply(tx, event, null);
      },
      async retract(tx, event) {
        if (isOurs(event)) await retract(tx, event);
      },
    }),
    on(source, "PaidBatch", {
      async apply(tx, event) {
        if (!isOurs(event)) return;
        const number = Number(event.args.epoch);
        await apply(tx, event, number);
        await setRootPaid(tx, event.runId, number, event.blockAt);
      },
      async retract(tx, event) {
        if (!isOurs(event)) return;
        await retract(tx, event);
        await retractRootPaid(tx, event.runId, Number(event.args.epoch));
      },
    }),
  ];
}

const challengeHandlers = ({ source, isOurs }: Following): Handler[] => [
  on(source, "Challenged", {
    async apply(tx, event) {
      if (!isOurs(event)) return;
      const { challengeId, epoch: number, payee, cumulative, answerBy } = event.args;
      await saveChallenge(tx, event.runId, {
        challengeId,
        rootNumber: Number(number),
        payee,
        cumulative,
        answerBy: Number(answerBy) * 1000,
      });
    },
    async retract(tx, event) {
      if (isOurs(event)) await dropChallenge(tx, event.runId, event.args.challengeId);
    },
  }),
  // A challenge of another token has no row here, so nothing happens to it.
  on(source, "Answered", {
    apply: (tx, { args, runId }) => setChallengeState(tx, runId, args.challengeId, "answered"),
    retract: (tx, { args, runId }) => setChallengeState(tx, runId, args.challengeId, "open"),
  }),
];

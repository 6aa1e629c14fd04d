import { clearingAbi } from "#contracts";
import { lockBooks } from "#offchain/features/payments/store/channels.ts";
import { type ChainEvent, type EventSource, type Handler, on } from "#offchain/platform/chain/event.ts";
import {
  applyPayout,
  applyRootPosted,
  dropChallenge,
  retractPayout,
  retractRootPosted,
  saveChallenge,
  setChallengeState,
  setRootPaid,
  setRootVoid,
} from "./store.ts";

/** What Clearing's events do to its roots, challenges and the ledger; of the one token that channels are in. */
export function clearingHandlers(address: `0x${string}`, token: `0x${string}`): Handler[] {
  const source: EventSource<typeof clearingAbi> = {
    name: "Clearing",
    abi: clearingAbi,
    addresses: [address],
  };
  const isOurs = ({ args }: ChainEvent<{ token: `0x${string}` }>) =>
    args.token.toLowerCase() === token.toLowerCase();
  return [
    on(source, "RootPosted", {
      async apply(tx, event) {
        if (!isOurs(event)) return;
        const { epoch: number, root, total } = event.args;
        await applyRootPosted(tx, event.epoch, { number: Number(number), root, total }, event);
      },
      async retract(tx, event) {
        if (isOurs(event)) await retractRootPosted(tx, event.epoch, Number(event.args.epoch));
      },
    }),
    on(source, "Paid", {
      async apply(tx, event) {
        if (!isOurs(event)) return;
        await lockBooks(tx, event.epoch, "alone");
        await applyPayout(tx, event.epoch, address, event.args.amount, event);
      },
      async retract(tx, event) {
        if (!isOurs(event)) return;
        await lockBooks(tx, event.epoch, "alone");
        await retractPayout(tx, event.epoch, address, event);
      },
    }),
    on(source, "PaidBatch", {
      async apply(tx, event) {
        if (!isOurs(event)) return;
        await lockBooks(tx, event.epoch, "alone");
        await applyPayout(tx, event.epoch, address, event.args.amount, event);
        await setRootPaid(tx, event.epoch, Number(event.args.epoch), event.blockAt);
      },
      async retract(tx, event) {
        if (!isOurs(event)) return;
        await lockBooks(tx, event.epoch, "alone");
        await retractPayout(tx, event.epoch, address, event);
        await setRootPaid(tx, event.epoch, Number(event.args.epoch), null);
      },
    }),
    on(source, "Challenged", {
      async apply(tx, event) {
        if (!isOurs(event)) return;
        const { challengeId, epoch: number, payee, cumulative, answerBy } = event.args;
        await saveChallenge(tx, event.epoch, {
          challengeId,
          rootNumber: Number(number),
          payee,
          cumulative,
          answerBy: Number(answerBy) * 1000,
        });
      },
      async retract(tx, event) {
        if (isOurs(event)) await dropChallenge(tx, event.epoch, event.args.challengeId);
      },
    }),
    // A challenge of another token has no row here, so nothing happens to it.
    on(source, "Answered", {
      apply: (tx, { args, epoch }) => setChallengeState(tx, epoch, args.challengeId, "answered"),
      retract: (tx, { args, epoch }) => setChallengeState(tx, epoch, args.challengeId, "open"),
    }),
    on(source, "RootVoided", {
      async apply(tx, event) {
        if (!isOurs(event)) return;
        await setRootVoid(tx, event.epoch, Number(event.args.epoch), event.args.challengeId, true);
      },
      async retract(tx, event) {
        if (!isOurs(event)) return;
        await setRootVoid(tx, event.epoch, Number(event.args.epoch), event.args.challengeId, false);
      },
    }),
  ];
}

import { clearingAbi } from "#contracts";
import type { HubBooks } from "#offchain/features/payments/service.ts";
import { type ChainEvent, type EventSource, type Handler, on } from "#offchain/platform/chain/event.ts";
import type { Tx } from "#offchain/platform/database/database.ts";
import { countDemand } from "./store/credits.ts";
import { applyFilled, retractFilled, setSealed, setVoid } from "./store/epochs.ts";
import { removePayout, savePayout } from "./store/payouts.ts";

type Source = EventSource<typeof clearingAbi>;
type Told<Args> = ChainEvent<Args & { token: `0x${string}` }>;
type Step = "apply" | "retract";

/**
 * What Clearing's events do to its epochs, credits and the ledger; of the one token that channels are in. Each keeps the
 * intake out meanwhile, as the job does that cuts and fills epochs, so that neither sees half of what the other does.
 */
export function clearingHandlers(address: `0x${string}`, token: `0x${string}`, books: HubBooks): Handler[] {
  const source: Source = { name: "Clearing", abi: clearingAbi, addresses: [address] };
  const both = <Args>(change: (tx: Tx, event: Told<Args>, step: Step) => Promise<void>) => {
    const step = (which: Step) => async (tx: Tx, event: Told<Args>) => {
      if (event.args.token.toLowerCase() !== token.toLowerCase()) return;
      await books.lock(tx, event.runId);
      await change(tx, event, which);
    };
    return { apply: step("apply"), retract: step("retract") };
  };
  const payout = both<{ amount: bigint }>((tx, event, step) => changePayout(tx, event, step, address, books));
  return [
    on(source, "EpochFilled", both(changeFilled)),
    on(
      source,
      "EpochSealed",
      both<{ epoch: bigint }>((tx, { args, runId, blockAt }, step) =>
        setSealed(tx, runId, Number(args.epoch), step === "apply" ? blockAt : null),
      ),
    ),
    on(
      source,
      "EpochVoided",
      both<{ epoch: bigint }>((tx, { args, runId }, step) =>
        setVoid(tx, runId, Number(args.epoch), step === "apply"),
      ),
    ),
    on(
      source,
      "Demanded",
      both<{ payee: `0x${string}`; amount: bigint }>(async (tx, { args, runId }, step) => {
        // A debt that is noted, or an operator that is slashed, credits nobody.
        if (args.amount !== 0n) await countDemand(tx, runId, args.payee, step === "apply" ? 1 : -1);
      }),
    ),
    on(source, "Paid", payout),
    on(source, "PaidBatch", payout),
    // What a payee puts into a channel of its own has left Clearing as well; the deposit is the channel's own event.
    on(source, "Deposited", payout),
  ];
}

async function changeFilled(
  tx: Tx,
  { args, runId, blockAt }: Told<{ epoch: bigint; rows: bigint; total: bigint }>,
  step: Step,
): Promise<void> {
  const fill = { number: Number(args.epoch), rows: Number(args.rows), total: args.total };
  if (step === "apply") await applyFilled(tx, runId, fill, blockAt);
  else await retractFilled(tx, runId, fill.number, fill.rows);
}

/**
 * Money left Clearing for payees. What it had claimed for them leaves the books; what it paid beyond that was the
 * operator's own money, which the books never held.
 */
async function changePayout(
  tx: Tx,
  event: Told<{ amount: bigint }>,
  step: Step,
  clearing: string,
  books: HubBooks,
): Promise<void> {
  const { runId } = event;
  if (step === "retract") {
    const booked = await removePayout(tx, runId, event);
    return books.changePaidOut(tx, runId, clearing, -booked, event);
  }
  const held = await books.heldFor(tx, runId, clearing);
  let booked = event.args.amount;
  if (held < booked) booked = held;
  await books.changePaidOut(tx, runId, clearing, booked, event);
  await savePayout(tx, runId, event, booked);
}

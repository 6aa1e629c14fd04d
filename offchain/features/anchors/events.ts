import { receiptAnchorAbi } from "#contracts";
import { type EventSource, type Handler, on } from "#offchain/platform/chain/event.ts";
import { ledgerKind } from "./contract.ts";
import { dropAnchored, noteAnchored } from "./store.ts";

/** What the chain has anchored of the ledger, whoever sent it. */
export function anchorHandlers(address: `0x${string}`): Handler[] {
  const source: EventSource<typeof receiptAnchorAbi> = {
    name: "ReceiptAnchor",
    abi: receiptAnchorAbi,
    addresses: [address],
  };
  return [
    on(source, "Anchored", {
      async apply(tx, { runId, args, blockAt, transactionHash }) {
        const { kind, epoch, root } = args;
        if (kind === ledgerKind) await noteAnchored(tx, runId, epoch, { root, at: blockAt, transactionHash });
      },
      async retract(tx, { runId, args }) {
        if (args.kind === ledgerKind) await dropAnchored(tx, runId, args.epoch);
      },
    }),
  ];
}

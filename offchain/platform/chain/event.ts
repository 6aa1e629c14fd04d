import type { Abi, AbiEvent, Address, ContractEventName, Hash, ParseEventLogsReturnType } from "viem";
import { getAbiItem } from "viem";
import type { Tx } from "../database/database.ts";

/** Contracts whose events are indexed: an ABI and where it lives. */
export interface EventSource<abi extends Abi = Abi> {
  /** The contract's name, e.g. `Treasury`; unique among the sources. */
  readonly name: string;
  readonly abi: abi;
  readonly addresses: readonly Address[];
  /** No event of theirs is older; the chain run's first block where nothing is said. */
  readonly fromBlock?: number;
}

/** The decoded arguments of an event, by name. */
export type EventArgs<abi extends Abi, name extends ContractEventName<abi>> = ParseEventLogsReturnType<
  abi,
  name,
  true
>[number]["args"];

/** A fact of the chain. Everything that identifies it is unique within its chain run. */
export interface ChainEvent<args = unknown> {
  chainId: number;
  runId: bigint;
  blockNumber: bigint;
  blockHash: Hash;
  /** The block's time, epoch ms. */
  blockAt: number;
  transactionHash: Hash;
  transactionIndex: number;
  logIndex: number;
  /** Checksummed. */
  address: Address;
  contract: string;
  name: string;
  args: args;
}

/** What an event does to the store. Both sides run in the transaction that moves the checkpoint. */
export interface Effect<args> {
  /** Applies the event; events come in the chain's order, each exactly once. */
  apply(tx: Tx, event: ChainEvent<args>): Promise<void>;
  /** Takes back what `apply` did, when a reorg dropped the event; events come in reverse order. */
  retract(tx: Tx, event: ChainEvent<args>): Promise<void>;
  /** Instead of `apply` for a run of neighbouring events of this kind: one set-based statement instead of many. */
  applyMany?(tx: Tx, events: readonly ChainEvent<args>[]): Promise<void>;
}

/** An effect bound to one event of one source. */
export interface Handler extends Effect<unknown> {
  readonly source: EventSource;
  readonly event: AbiEvent;
  /** The feature that it is of; without one it goes by its source's name. It stands in the store beside what is watched. */
  readonly owner?: string;
}

/** These handlers as a feature's own. */
export const ownedBy = (owner: string, handlers: readonly Handler[]): Handler[] =>
  handlers.map((handler) => ({ ...handler, owner }));

/**
 * Binds an effect to an event: `on(treasury, "Paid", { apply, retract })`; the arguments are typed by the ABI.
 */
export function on<const abi extends Abi, name extends ContractEventName<abi>>(
  source: EventSource<abi>,
  name: name,
  effect: Effect<EventArgs<abi, name>>,
): Handler {
  const item = getAbiItem({ abi: source.abi as Abi, name: name as string });
  if (item?.type !== "event") throw new TypeError(`${source.name} has no event ${String(name)}`);
  // The dispatcher hands an effect only events decoded by this very item, so the wider type is safe.
  return { ...(effect as Effect<unknown>), source, event: item };
}

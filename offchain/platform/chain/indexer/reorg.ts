import type { Hash } from "viem";
import { BursarError } from "#offchain/core/error.ts";
import type { Sql } from "../../database/database.ts";
import { type ChainRun, journal } from "./checkpoint.ts";
import type { IndexerLimits } from "./options.ts";
import type { Header, LogSource } from "./source.ts";

/**
 * The newest block of the journal that the chain still has; before the first block if there is none. The journal keeps
 * every block with an event, so nothing at or below it needs taking back.
 * @param page blocks that are compared at once
 */
export async function forkPoint(
  sql: Sql,
  source: LogSource,
  chainRun: ChainRun,
  page: number,
): Promise<{ number: number; hash: Hash | null }> {
  let before = chainRun.indexedTo + 1;
  for (;;) {
    const blocks = await journal(sql, chainRun.id, before, page);
    const headers = await source.headers(blocks.map(({ number }) => number));
    const found = blocks.find(({ hash }, index) => headers[index]?.hash === hash);
    if (found) return found;
    const oldest = blocks.at(-1);
    if (!oldest) return { number: chainRun.fromBlock - 1, hash: null };
    before = oldest.number;
  }
}

/** @throws BursarError CHAIN_REPLACED: the provider shows another beginning, and nobody said that it is right */
export function assertBelieved(
  { chainId, genesisHash, id }: ChainRun,
  genesis: Header,
  believed: IndexerLimits["believedGenesis"],
): void {
  if (believed === "any" || believed === genesis.hash) return;
  throw new BursarError(
    "CHAIN_REPLACED",
    `the provider of chain ${chainId} shows another beginning, ${genesis.hash}: nothing is written off, and the service goes on ` +
      "when the known chain is back; if the chain was really begun anew, start with BURSAR_ACCEPT_GENESIS set to it",
    { facts: { chainId, runId: id, got: genesis.hash, known: genesisHash } },
  );
}

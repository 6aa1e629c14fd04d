import type { Address, Hex, PublicClient } from "viem";
import { transactionGasMax } from "#offchain/platform/chain/client/untrustedCode.ts";
import {
  needsTooMuchGas,
  type RevertDecoder,
  revertData,
} from "#offchain/platform/chain/contracts/revert.ts";
import type { Tokens } from "#offchain/platform/chain/contracts/tokens.ts";
import type { TreasuryContract, UntrustedContracts } from "../contract.ts";
import type { ProposalMessage } from "../messages.ts";
import type { SimulationView } from "../service.ts";
import type { Named } from "./naming.ts";
import { openRehearsal, type Rehearsal } from "./rehearsal.ts";
import { changesBy } from "./transfers.ts";

export interface SimulationOptions {
  readonly client: PublicClient;
  readonly untrustedCode: UntrustedContracts;
  readonly contract: Pick<TreasuryContract, "address" | "membership">;
  readonly tokens: Tokens;
  readonly reverts: Pick<RevertDecoder, "decode">;
  readonly named: Named;
}

/** Balances that are told of one proposal: a hostile token could log any number of moves. */
const changesMax = 200;

/**
 * Rehearses a proposal against the newest block, as it would be executed: all its calls in their order, or none. Told is
 * whether it would succeed, and which balances of which tokens it would change.
 */
export async function simulate(
  content: ProposalMessage,
  options: SimulationOptions,
): Promise<SimulationView> {
  const { client, untrustedCode, contract } = options;
  const [blockNumber, membership] = await Promise.all([client.getBlockNumber(), contract.membership()]);
  const treasury = contract.address;
  const rehearsal = openRehearsal(content, { client, untrustedCode, treasury, membership, blockNumber });
  const reason = await failure(rehearsal, options.reverts);
  const atBlock = blockNumber.toString();
  if (reason !== null) return { succeeds: false, reason, balanceChanges: [], complete: true, atBlock };
  const { transfers, isComplete } = await rehearsal.transfers();
  const changes = changesBy(transfers);
  return {
    succeeds: true,
    reason: null,
    balanceChanges: await balanceChanges(changes.slice(0, changesMax), rehearsal, options),
    complete: isComplete && changes.length <= changesMax,
    atBlock,
  };
}

/** Why it would revert; null if it would not. */
async function failure(rehearsal: Rehearsal, reverts: SimulationOptions["reverts"]): Promise<string | null> {
  try {
    await rehearsal.run();
    return null;
  } catch (error) {
    if (needsTooMuchGas(error)) return `the execution ${tooMuchGas}`;
    const data = revertData(error);
    if (data === null) throw error;
    const silent = silentCall(data, reverts);
    // The contract keeps a little gas back, and reverts by itself when a call has used up all of the rest.
    if (silent && (await rehearsal.needsTooMuchGas(silent.index)))
      return `call ${silent.index + 1}, to ${silent.to}, ${tooMuchGas}`;
    return reasonInWords(data, reverts);
  }
}

const tooMuchGas = `needs more gas than a transaction may have (${transactionGasMax})`;

/** The call that failed, if it gave no reason. */
function silentCall(data: Hex, reverts: SimulationOptions["reverts"]): { index: number; to: string } | null {
  const { error, args } = decoded(data, reverts);
  if (error !== "Treasury_CallFailed") return null;
  const { index, to, reason } = JSON.parse(args) as { index: string; to: string; reason: Hex };
  return reason === "0x" ? { index: Number(index), to } : null;
}

/** The contract's error; of a call that failed, that call's own. */
export function reasonInWords(data: Hex, reverts: SimulationOptions["reverts"]): string {
  const { error, args } = decoded(data, reverts);
  if (error !== "Treasury_CallFailed") return `the execution reverts: ${error} ${args}`;
  const { index, to, reason } = JSON.parse(args) as { index: string; to: string; reason: Hex };
  const failed = `call ${Number(index) + 1}, to ${to}, reverts`;
  if (reason === "0x")
    return `${failed} without a reason: it cannot be made, or lacks the coin that it sends`;
  const inner = decoded(reason, reverts);
  return `${failed}: ${inner.error} ${inner.args}`;
}

/** The contract cuts off long reasons, and any contract may revert with bytes that are no error of it. */
function decoded(data: Hex, reverts: SimulationOptions["reverts"]): { error: string; args: string } {
  try {
    return reverts.decode(data);
  } catch {
    return { error: data, args: "{}" };
  }
}

async function balanceChanges(
  changes: ReturnType<typeof changesBy>,
  rehearsal: Rehearsal,
  { contract, tokens, named }: SimulationOptions,
): Promise<SimulationView["balanceChanges"]> {
  const balances = await Promise.all(
    changes.map(({ account, token }) => rehearsal.balanceOf(token, account)),
  );
  const written = (token: Address, amount: bigint | null) =>
    amount === null ? null : tokens.amountOf(token, amount);
  return named((nameOf) =>
    changes.map(({ account, token, change }, at) => {
      const before = balances[at] ?? null;
      const { own, chosen } = nameOf(account);
      return {
        account,
        accountLabel: account === contract.address ? "this Treasury" : own,
        accountName: account === contract.address ? null : chosen,
        before: written(token, before),
        after: written(token, before === null ? null : before + change),
        change: tokens.amountOf(token, change),
      };
    }),
  );
}

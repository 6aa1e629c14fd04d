import {
  type Address,
  concatHex,
  erc20Abi,
  type Hex,
  isHex,
  numberToHex,
  type PublicClient,
  zeroAddress,
} from "viem";
import { transactionGasMax } from "#offchain/platform/chain/client/untrustedCode.ts";
import { needsTooMuchGas } from "#offchain/platform/chain/contracts/revert.ts";
import { executeCalldata, type TreasuryCall, type UntrustedContracts } from "../contract.ts";
import type { ProposalMessage } from "../messages.ts";
import type { Membership } from "../rules.ts";
import {
  type CallFrame,
  isFrame,
  simulatedLogs,
  type Transfer,
  transfersIn,
  transfersOf,
  transfersReadFrom,
} from "./transfers.ts";

/** Code that agrees to everything: it answers whatever it is asked with ERC-1271's magic value. */
const agreeing = "0x631626ba7e60e01b5f5260205ff3";

/** Longer than an address, and no length of a key's signature: the contract asks the owner's code about it. */
const anySignature = "0x00";

type Overrides = Readonly<Record<Address, { code: Hex }>>;

/** An execution that is not sent: `execute` itself, with owners who are made to agree in the node's memory. */
export interface Rehearsal {
  /** @throws what the node answers when it reverts */
  run(): Promise<void>;
  /** Whether one of the calls uses up all the gas of a transaction by itself. */
  needsTooMuchGas(index: number): Promise<boolean>;
  /** What moves; `isComplete` is false where the node cannot tell, and it is read from the calls. */
  transfers(): Promise<{ transfers: Transfer[]; isComplete: boolean }>;
  /** Null where the token tells none. */
  balanceOf(token: Address, account: Address): Promise<bigint | null>;
}

export interface RehearsalOptions {
  readonly client: PublicClient;
  /** Runs what a proposal calls, whoever proposed it. */
  readonly untrustedCode: UntrustedContracts;
  readonly treasury: Address;
  readonly membership: Membership;
  readonly blockNumber: bigint;
}

/** Most gas of the question for a balance of a token that may be any code. */
const balanceGasMax = 200_000n;

/** Asks the provider by a method that is no part of viem's types for every node. */
type Ask = (call: { method: string; params: unknown[] }) => Promise<unknown>;

export function openRehearsal(content: ProposalMessage, options: RehearsalOptions): Rehearsal {
  const { client, untrustedCode, treasury, blockNumber } = options;
  const { from, signatures, overrides } = agreement(content.calls, options.membership);
  const request = { from, to: treasury, data: executeCalldata(content, signatures) };
  const block = numberToHex(blockNumber);
  const ask: Ask = (call) =>
    untrustedCode.run(transactionGasMax, (reader) => (reader.request as unknown as Ask)(call));
  return {
    async run() {
      const stateOverride = Object.entries(overrides).map(([address, { code }]) => ({
        address: address as Address,
        code,
      }));
      await untrustedCode.run(transactionGasMax, (reader) =>
        reader.call({ account: from, to: treasury, data: request.data, blockNumber, stateOverride }),
      );
    },
    async needsTooMuchGas(index) {
      const call = content.calls[index];
      if (!call) return false;
      return untrustedCode.run(transactionGasMax, (reader) =>
        reader.call({ account: treasury, ...call, blockNumber }).then(() => false, needsTooMuchGas),
      );
    },
    async transfers() {
      const simulated = await simulatedTransfers(ask, { request, overrides, block });
      if (simulated) return { transfers: simulated, isComplete: true };
      const traced = await tracedCalls(ask, treasury, content.calls, block);
      return {
        transfers: content.calls.flatMap((call, at) => traced[at] ?? transfersReadFrom([call], treasury)),
        isComplete: traced.every((transfers) => transfers !== null),
      };
    },
    async balanceOf(token, account) {
      if (token === zeroAddress) return client.getBalance({ address: account, blockNumber });
      const asked = { address: token, abi: erc20Abi, functionName: "balanceOf", args: [account] } as const;
      return untrustedCode
        .run(balanceGasMax, (reader) => reader.readContract({ ...asked, blockNumber }))
        .catch(() => null);
    },
  };
}

/** The approvals of as many owners as decide, ascending; whom the proposal calls itself is left as it is if others do. */
function agreement(calls: readonly TreasuryCall[], { owners, threshold }: Membership) {
  const isCalled = (owner: Address) => calls.some(({ to }) => to.toLowerCase() === owner.toLowerCase());
  const agreed = owners
    .toSorted((one, other) => Number(isCalled(one)) - Number(isCalled(other)))
    .slice(0, threshold)
    .toSorted((one, other) => (BigInt(one) < BigInt(other) ? -1 : 1));
  const overrides: Overrides = Object.fromEntries(agreed.map((owner) => [owner, { code: agreeing }]));
  return {
    from: agreed[0] ?? zeroAddress,
    signatures: agreed.map((owner) => concatHex([owner, anySignature])),
    overrides,
  };
}

/** By `eth_simulateV1`, which most nodes have: all calls one after the other, with the moves of the coin as logs. */
async function simulatedTransfers(
  ask: Ask,
  { request, overrides, block }: { request: object; overrides: Overrides; block: Hex },
): Promise<Transfer[] | null> {
  const blockStateCalls = [{ calls: [request], stateOverrides: overrides }];
  try {
    const answer = await ask({
      method: "eth_simulateV1",
      params: [{ blockStateCalls, traceTransfers: true, validation: false }, block],
    });
    const logs = simulatedLogs(answer);
    return logs && transfersIn(logs);
  } catch {
    // A node without the method, such as Hardhat's.
    return null;
  }
}

/**
 * By `debug_traceCall`: each call by itself, from the Treasury. One that needs an earlier one's effect fails alone. Together
 * they have no more gas than the transaction would have; null for those that it does not suffice for.
 */
async function tracedCalls(
  ask: Ask,
  treasury: Address,
  calls: readonly TreasuryCall[],
  block: Hex,
): Promise<(Transfer[] | null)[]> {
  const traced: (Transfer[] | null)[] = [];
  let gas = transactionGasMax;
  for (const call of calls) {
    const frame = gas > 0n ? await trace(ask, treasury, { ...call, gas }, block) : null;
    gas -= frame?.gasUsed && isHex(frame.gasUsed) ? BigInt(frame.gasUsed) : gas;
    traced.push(frame && frame.error === undefined ? transfersOf(frame) : null);
  }
  return traced;
}

/** Null where the node does not trace, or not for everybody. */
async function trace(
  ask: Ask,
  treasury: Address,
  { to, value, data, gas }: TreasuryCall & { gas: bigint },
  block: Hex,
): Promise<CallFrame | null> {
  try {
    const frame = await ask({
      method: "debug_traceCall",
      params: [
        { from: treasury, to, value: numberToHex(value), data, gas: numberToHex(gas) },
        block,
        { tracer: "callTracer", tracerConfig: { withLog: true } },
      ],
    });
    return isFrame(frame) ? frame : null;
  } catch {
    return null;
  }
}

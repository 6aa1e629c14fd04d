import {
  type Address,
  concatHex,
  erc20Abi,
  type Hex,
  numberToHex,
  type PublicClient,
  zeroAddress,
} from "viem";
import { executeCalldata, type TreasuryCall } from "../contract.ts";
import type { ProposalMessage } from "../messages.ts";
import type { Membership } from "../rules.ts";
import {
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
  /** What moves; `isComplete` is false where the node cannot tell, and it is read from the calls. */
  transfers(): Promise<{ transfers: Transfer[]; isComplete: boolean }>;
  /** Null where the token tells none. */
  balanceOf(token: Address, account: Address): Promise<bigint | null>;
}

export interface RehearsalOptions {
  readonly client: PublicClient;
  readonly treasury: Address;
  readonly membership: Membership;
  readonly blockNumber: bigint;
}

export function openRehearsal(content: ProposalMessage, options: RehearsalOptions): Rehearsal {
  const { client, treasury, blockNumber } = options;
  const { from, signatures, overrides } = agreement(content.calls, options.membership);
  const request = { from, to: treasury, data: executeCalldata(content, signatures) };
  const block = numberToHex(blockNumber);
  // The methods below are no part of viem's types for every node.
  const ask = client.request as unknown as (call: { method: string; params: unknown[] }) => Promise<unknown>;
  return {
    async run() {
      await client.call({
        account: from,
        to: treasury,
        data: request.data,
        blockNumber,
        stateOverride: Object.entries(overrides).map(([address, { code }]) => ({
          address: address as Address,
          code,
        })),
      });
    },
    async transfers() {
      const simulated = await simulatedTransfers(ask, { request, overrides, block });
      if (simulated) return { transfers: simulated, isComplete: true };
      const traced = await Promise.all(
        content.calls.map((call) => tracedTransfers(ask, treasury, call, block)),
      );
      return {
        transfers: content.calls.flatMap((call, at) => traced[at] ?? transfersReadFrom([call], treasury)),
        isComplete: traced.every((transfers) => transfers !== null),
      };
    },
    async balanceOf(token, account) {
      if (token === zeroAddress) return client.getBalance({ address: account, blockNumber });
      const asked = { address: token, abi: erc20Abi, functionName: "balanceOf", args: [account] } as const;
      return client.readContract({ ...asked, blockNumber }).catch(() => null);
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
  ask: (call: { method: string; params: unknown[] }) => Promise<unknown>,
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

/** By `debug_traceCall`: each call by itself, from the Treasury. One that needs an earlier one's effect fails alone. */
async function tracedTransfers(
  ask: (call: { method: string; params: unknown[] }) => Promise<unknown>,
  treasury: Address,
  { to, value, data }: TreasuryCall,
  block: Hex,
): Promise<Transfer[] | null> {
  try {
    const frame = await ask({
      method: "debug_traceCall",
      params: [
        { from: treasury, to, value: numberToHex(value), data },
        block,
        { tracer: "callTracer", tracerConfig: { withLog: true } },
      ],
    });
    return isFrame(frame) && frame.error === undefined ? transfersOf(frame) : null;
  } catch {
    // A node that does not trace, or not for everybody.
    return null;
  }
}

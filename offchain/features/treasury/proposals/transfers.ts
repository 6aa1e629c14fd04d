import { type Address, getAddress, type Hex, zeroAddress } from "viem";
import { paymentIn, type TreasuryCall } from "../contract.ts";

/** An amount of a token that moved; the zero address is the native coin as a token, and nobody as an account. */
export interface Transfer {
  readonly token: Address;
  readonly from: Address;
  readonly to: Address;
  readonly amount: bigint;
}

/** A log as nodes write it. */
export interface RawLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
}

/** A call inside a transaction, as the tracer `callTracer` writes it. */
export interface CallFrame {
  readonly type: string;
  readonly from: string;
  readonly to?: string;
  readonly value?: string;
  readonly gasUsed?: string;
  readonly error?: string;
  readonly logs?: readonly RawLog[];
  readonly calls?: readonly CallFrame[];
}

/** keccak256("Transfer(address,address,uint256)"), of ERC-20. ERC-721's has the same, with the id as a fourth topic. */
const transferTopic = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";

/** As what `eth_simulateV1` logs moves of the native coin (execution-apis, `traceTransfers`). */
const nativeLogger = "0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";

/** The transfers among logs. */
export const transfersIn = (logs: readonly RawLog[]): Transfer[] =>
  logs.flatMap(({ address, topics: [topic, from, to, ...more], data }) => {
    if (topic !== transferTopic || !from || !to || more.length > 0 || !/^0x[0-9a-f]{64}/i.test(data))
      return [];
    const token = address.toLowerCase() === nativeLogger ? zeroAddress : getAddress(address);
    return [{ token, from: addressIn(from), to: addressIn(to), amount: BigInt(data.slice(0, 66)) }];
  });

const addressIn = (topic: string): Address => getAddress(`0x${topic.slice(-40)}`);

/** Calls that bring their value to whom they call; a delegated one only shows its caller's. */
const carriesValue = new Set(["CALL", "CREATE", "CREATE2", "SELFDESTRUCT"]);

/** The transfers of a traced call and of all that it calls; what reverted moved nothing. */
export function transfersOf(frame: CallFrame): Transfer[] {
  if (frame.error !== undefined) return [];
  const value = BigInt(frame.value ?? 0);
  const own: Transfer[] =
    value > 0n && frame.to !== undefined && carriesValue.has(frame.type)
      ? [{ token: zeroAddress, from: getAddress(frame.from), to: getAddress(frame.to), amount: value }]
      : [];
  return [...own, ...transfersIn(frame.logs ?? []), ...(frame.calls ?? []).flatMap(transfersOf)];
}

/** What can be read from the calls themselves: less than what happens, if a contract does more than it is asked. */
export const transfersReadFrom = (calls: readonly TreasuryCall[], treasury: Address): Transfer[] =>
  calls.flatMap((call) => {
    const coin =
      call.value > 0n ? [{ token: zeroAddress, from: treasury, to: call.to, amount: call.value }] : [];
    const payment = paymentIn(call, treasury);
    return payment ? [...coin, { from: treasury, ...payment }] : coin;
  });

/** What the transfers come to, by account and token; zero changes, and who makes or destroys tokens, are left out. */
export function changesBy(
  transfers: readonly Transfer[],
): { account: Address; token: Address; change: bigint }[] {
  const changes = new Map<string, { account: Address; token: Address; change: bigint }>();
  const move = (account: Address, token: Address, amount: bigint) => {
    const key = `${account} ${token}`;
    changes.set(key, { account, token, change: (changes.get(key)?.change ?? 0n) + amount });
  };
  for (const { token, from, to, amount } of transfers) {
    move(from, token, -amount);
    move(to, token, amount);
  }
  return [...changes.values()].filter(({ account, change }) => change !== 0n && account !== zeroAddress);
}

export const isFrame = (value: unknown): value is CallFrame =>
  typeof value === "object" && value !== null && "type" in value && "from" in value;

/** The logs of the first call in an answer of `eth_simulateV1`; null if it is none, or the call failed. */
export function simulatedLogs(answer: unknown): readonly RawLog[] | null {
  const [block] = Array.isArray(answer) ? (answer as { calls?: { status?: Hex; logs?: RawLog[] }[] }[]) : [];
  const call = block?.calls?.[0];
  return call?.status === "0x1" ? (call.logs ?? []) : null;
}

import { decodeFunctionData, type Hex, multicall3Abi, parseAbi } from "viem";
import { multicall3 } from "#offchain/platform/chain/client/client.ts";
import type { Call } from "./callFaults.ts";

interface CallObject {
  to?: string;
  data?: Hex;
  gas?: Hex;
}

const multicallAbi = [
  ...multicall3Abi,
  ...parseAbi([
    "function tryAggregate(bool requireSuccess, (address target, bytes callData)[] calls) payable returns ((bool success, bytes returnData)[])",
  ]),
];

/** Methods by which the node runs code, with what they run. */
const running: Record<string, (first: unknown) => CallObject[]> = {
  eth_call: (call) => [call as CallObject],
  eth_estimateGas: (call) => [call as CallObject],
  debug_traceCall: (call) => [call as CallObject],
  eth_simulateV1: (simulation) =>
    (simulation as { blockStateCalls: { calls: CallObject[] }[] }).blockStateCalls.flatMap(
      ({ calls }) => calls,
    ),
};

/** Whom a call is about: of a multicall those that it calls. */
function targetsOf({ to = "none", data }: CallObject): string[] {
  if (to.toLowerCase() !== multicall3.toLowerCase() || !data) return [to];
  const { args } = decodeFunctionData({ abi: multicallAbi, data });
  const calls = (args as readonly unknown[]).find(Array.isArray) ?? [];
  return (calls as { target: string }[]).map(({ target }) => target);
}

/**
 * Calls without a bound of their gas, in words. Only reads of the service's own contracts need none: their code is known.
 * @param own their addresses
 */
export function unboundedCalls(heard: readonly Call[], own: readonly string[]): string[] {
  const known = new Set([...own, multicall3].map((address) => address.toLowerCase()));
  return heard.flatMap(({ method, params = [] }) =>
    (running[method]?.(params[0]) ?? [])
      .filter(({ gas }) => gas === undefined)
      .flatMap((call) => (method === "eth_call" ? targetsOf(call) : ["any"]))
      .filter((target) => !known.has(target.toLowerCase()))
      .map((target) => `${method} of ${target}`),
  );
}

import { decodeFunctionData, formatUnits, getAbiItem } from "viem";
import type { KnownContract, KnownContracts } from "#offchain/platform/chain/contracts/known.ts";
import type { ProposalMessage } from "../messages.ts";
import type { ProposalView } from "../service.ts";

/** A name for people by address; the address itself when there is none. */
export type Names = (address: string) => string;

type CallView = ProposalView["calls"][number];
type Arguments = Record<string, unknown>;

/** One call, decoded and put into words; what cannot be decoded says so instead of guessing. */
export function describeCall(
  call: ProposalMessage["calls"][number],
  known: KnownContracts,
  names: Names,
): CallView {
  const contract = known.get(call.to.toLowerCase());
  const base = { to: call.to, value: call.value.toString(), data: call.data };
  if (call.data === "0x")
    return { ...base, words: `Send ${formatUnits(call.value, 18)} ETH to ${names(call.to)}`, decoded: null };
  const decoded = contract && decode(contract, call.data);
  if (!contract || !decoded)
    return { ...base, words: `Call ${names(call.to)} with data that Bursar cannot read`, decoded: null };
  return {
    ...base,
    words: sentence(contract, decoded.name, decoded.args, known, names),
    decoded: {
      contract: contract.name,
      function: decoded.name,
      args: decoded.inputs.map(({ name, type }) => ({ name, type, value: written(decoded.args[name]) })),
    },
  };
}

interface Decoded {
  name: string;
  inputs: { name: string; type: string }[];
  args: Arguments;
}

function decode(contract: KnownContract, data: `0x${string}`): Decoded | null {
  try {
    const { functionName, args = [] } = decodeFunctionData({ abi: contract.abi, data });
    const item = getAbiItem({ abi: contract.abi, name: data.slice(0, 10) });
    if (item?.type !== "function") return null;
    const inputs = item.inputs.map(({ name, type }, at) => ({ name: name || `${at}`, type }));
    return {
      name: functionName,
      inputs,
      args: Object.fromEntries(inputs.map(({ name }, at) => [name, args[at]])),
    };
  } catch {
    // A selector that the ABI does not have: the caller says that it cannot be read.
    return null;
  }
}

function sentence(
  contract: KnownContract,
  name: string,
  args: Arguments,
  known: KnownContracts,
  names: Names,
): string {
  const address = (key: string) => names(String(args[key]));
  const money = (token: unknown, amount: unknown) => moneyInWords(known, String(token), amount as bigint);
  if (contract.token) {
    const { decimals, symbol } = contract.token;
    const self = (amount: unknown) => `${formatUnits(amount as bigint, decimals)} ${symbol}`;
    if (name === "transfer") return `Pay ${self(args.value)} to ${address("to")}`;
    if (name === "approve") return `Let ${address("spender")} take up to ${self(args.value)}`;
  }
  switch (name) {
    case "disburse":
      return `Pay ${money(args.token, args.amount)} to ${address("to")} for ${address("spender")}`;
    case "setBudget":
      return `Give ${address("spender")} a budget of ${budgetInWords(known, args)}`;
    case "addOwner":
      return `Add ${address("owner")} as an owner`;
    case "removeOwner":
      return `Remove the owner ${address("owner")}`;
    case "replaceOwner":
      return `Replace the owner ${address("owner")} by ${address("successor")}`;
    case "setThreshold":
      return `Require ${String(args.threshold_)} owners to approve`;
    case "unfreeze":
      return `Let ${address("spender")} spend again`;
    case "unpause":
      return "Let agents spend again";
    default:
      return `Call ${name} of ${contract.name}`;
  }
}

function budgetInWords(known: KnownContracts, args: Arguments): string {
  const terms = args.terms as { daily: bigint; perTransaction: bigint; approvalAbove: bigint };
  const money = (amount: bigint) => moneyInWords(known, String(args.token), amount);
  return `${money(terms.daily)} a day, ${money(terms.perTransaction)} at most at once, approval above ${money(terms.approvalAbove)}`;
}

function moneyInWords(known: KnownContracts, token: string, amount: bigint): string {
  if (/^0x0{40}$/.test(token)) return `${formatUnits(amount, 18)} ETH`;
  const unit = known.get(token.toLowerCase())?.token;
  return unit ? `${formatUnits(amount, unit.decimals)} ${unit.symbol}` : `${amount} base units of ${token}`;
}

const written = (value: unknown): string =>
  typeof value === "object" && value !== null
    ? JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? inner.toString() : inner))
    : String(value);

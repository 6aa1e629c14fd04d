import { type Abi, BaseError, decodeErrorResult, type Hex, toFunctionSelector } from "viem";
import { BursarError } from "#offchain/core/error.ts";

type AbiError = Extract<Abi[number], { type: "error" }>;

/** Solidity's own errors, `require(false, "…")` and failed assertions (Solidity documentation, "Error handling"). */
const builtIn = [
  { type: "error", name: "Error", inputs: [{ name: "message", type: "string" }] },
  { type: "error", name: "Panic", inputs: [{ name: "code", type: "uint256" }] },
] as const satisfies readonly AbiError[];

/** Why a call reverted, by name. */
export interface Revert {
  /** The contract that declares the error; `Solidity` for its own; `unknown` for data that no ABI explains. */
  contract: string;
  error: string;
  /** Named arguments as JSON; integers as decimal strings. */
  args: string;
}

/** Names reverts by the errors of all contracts: a call may fail in a contract that it reached through another. */
export class RevertDecoder {
  readonly #errors = new Map<Hex, { contract: string; item: AbiError }>();

  /** @param abis by contract name; where two declare the same error, the first names it */
  constructor(abis: Readonly<Record<string, Abi>>) {
    for (const [contract, abi] of [["Solidity", builtIn as Abi] as const, ...Object.entries(abis)])
      for (const item of abi) {
        if (item.type !== "error") continue;
        const selector = toFunctionSelector({
          ...item,
          type: "function",
          outputs: [],
          stateMutability: "view",
        });
        if (!this.#errors.has(selector)) this.#errors.set(selector, { contract, item });
      }
  }

  decode(data: Hex): Revert {
    const known = this.#errors.get(data.slice(0, 10) as Hex);
    if (!known) return { contract: "unknown", error: data === "0x" ? "none" : data, args: "{}" };
    const { args } = decodeErrorResult({ abi: [known.item], data });
    const named = known.item.inputs.map((input, index) => [input.name || String(index), args?.[index]]);
    return {
      contract: known.contract,
      error: known.item.name,
      args: JSON.stringify(Object.fromEntries(named), (_, value: unknown) =>
        typeof value === "bigint" ? value.toString() : value,
      ),
    };
  }

  /** The provider's error as TRANSACTION_REVERTED; null if it says nothing about a revert. */
  explain(error: unknown): BursarError | null {
    const data = revertData(error);
    if (data === null) return null;
    const revert = this.decode(data);
    return reverted(revert, error);
  }
}

export function reverted(revert: Revert, cause?: unknown): BursarError {
  return new BursarError("TRANSACTION_REVERTED", `the call reverts: ${revert.error} ${revert.args}`, {
    facts: { ...revert },
    cause,
  });
}

/** Why a call reverted, as {@link reverted} tells it; null for another error. */
export function revertOf(error: unknown): Revert | null {
  if (!(error instanceof BursarError) || error.code !== "TRANSACTION_REVERTED") return null;
  const { contract, error: name, args } = error.facts;
  return { contract: String(contract), error: String(name), args: String(args) };
}

/** JSON-RPC's code for a reverted call (ethereum/execution-apis). */
const executionReverted = 3;

/**
 * What providers say of a call that needs more gas than any call may have: geth and Erigon "gas required exceeds
 * allowance", Nethermind "gas spent exceeded …", Reth, Anvil and Hardhat "out of gas", and where already its bytes are too
 * dear "intrinsic gas", "gas floor" or "requires at least … gas". An allowance of nothing is no word about the call: its
 * sender has no money.
 */
const tooMuchGas =
  /out of gas|gas required exceeds|gas spent exceeded|gas (limit )?cap|intrinsic gas|gas floor|floor data gas|requires at least \d+ gas/i;
const noMoney = /allowance:? \(?0\)?(?![\dx])/i;

/** Whether a call needs more gas than it may have. One that reverts with a reason has met that reason first. */
export function needsTooMuchGas(error: unknown): boolean {
  if ((revertData(error) ?? "0x") !== "0x") return false;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof BursarError) return false;
    const text = cause instanceof BaseError ? cause.details : "";
    if (tooMuchGas.test(text)) return !noMoney.test(text);
  }
  return false;
}

/** The data that a call reverted with, wherever the provider put it; null if the error is not a revert. */
export function revertData(error: unknown): Hex | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    // What was found to be no answer of the contract is none, whatever it holds.
    if (cause instanceof BursarError) return null;
    const data = "data" in cause ? cause.data : null;
    const inner = typeof data === "object" && data !== null && "data" in data ? data.data : data;
    if (typeof inner === "string" && /^0x([0-9a-f]{2})*$/i.test(inner)) return inner as Hex;
    if ("code" in cause && cause.code === executionReverted) return "0x";
  }
  const text = error instanceof BaseError ? error.details : "";
  return /revert/i.test(text) ? "0x" : null;
}

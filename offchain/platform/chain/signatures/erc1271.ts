import { type Address, encodeFunctionData, type Hex, parseAbi } from "viem";
import { BursarError } from "#offchain/core/error.ts";
import type { ChainReader } from "../client/client.ts";
import type { UntrustedCode } from "../client/untrustedCode.ts";
import { needsTooMuchGas } from "../contracts/revert.ts";

const erc1271Abi = parseAbi([
  "function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)",
]);

/** What `isValidSignature` answers for yes: its own selector, alone in the first word. */
const yes = "0x1626ba7e".padEnd(66, "0");

export interface CodeQuestion {
  /** The account that is asked. */
  readonly account: Address;
  readonly hash: Hex;
  readonly signature: Hex;
  /** Most gas of the question. */
  readonly gasMax: bigint;
  /** Who asks. */
  readonly asker?: Address;
}

/**
 * Whether the account's code stands by the signature (ERC-1271): the question itself and nothing more. No wrapper is
 * opened (ERC-6492), and no key stands in for the code. What reverts, or answers anything else, says no.
 * @returns `needsGas` if it comes to no answer with so much gas
 */
export async function signedByCode(
  untrustedCode: Pick<UntrustedCode<Pick<ChainReader, "call">>, "run">,
  { account, hash, signature, gasMax, asker }: CodeQuestion,
): Promise<"yes" | "no" | "needsGas"> {
  const data = encodeFunctionData({
    abi: erc1271Abi,
    functionName: "isValidSignature",
    args: [hash, signature],
  });
  try {
    const said = await untrustedCode.run(gasMax, (reader) =>
      reader.call({ ...(asker && { account: asker }), to: account, data }),
    );
    return said.data?.slice(0, yes.length) === yes ? "yes" : "no";
  } catch (error) {
    if (error instanceof BursarError) throw error;
    return needsTooMuchGas(error) ? "needsGas" : "no";
  }
}

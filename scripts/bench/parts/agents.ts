import { join } from "node:path";
import { type Hex, keccak256, type PrivateKeyAccount, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { faucetOn, fund } from "#offchain/demo/setup.ts";
import { type Agent, createAgent } from "#offchain/sdk/agent.ts";
import { type Client, createClient } from "#offchain/sdk/client.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { fileStates } from "#offchain/sdk/states.ts";
import { chainId, contracts, operator } from "../../soak/wallets.ts";
import type { Stack } from "../../stack/stack.ts";

/** The same key for the same name in every run. */
export const keyOf = (name: string): Hex => keccak256(toHex(`bursar bench ${name}`));

export const accountOf = (name: string): PrivateKeyAccount => privateKeyToAccount(keyOf(name));

/** An agent at work by the SDK. */
export const benchAgent = ({ apiUrl, dataDir }: Pick<Stack, "apiUrl" | "dataDir">, name: string): Agent =>
  createAgent({
    account: accountOf(name),
    url: apiUrl,
    chainId,
    usdc: contracts.TestUSDC,
    clearing: contracts.Clearing,
    treasury: contracts.Treasury,
    states: fileStates(join(dataDir, `agent ${name}`)),
  });

export const operatorOf = ({ apiUrl }: Pick<Stack, "apiUrl">): Client =>
  createClient({ url: apiUrl, authorize: signRequests(operator, chainId) });

/** Gives an address USDC on the chain, in base units, unless it has as much. */
export async function giveUsdc({ rpcUrl }: Pick<Stack, "rpcUrl">, to: Hex, amount: bigint): Promise<void> {
  await fund(faucetOn(rpcUrl, chainId), contracts.TestUSDC, to, { below: amount, upTo: amount });
}

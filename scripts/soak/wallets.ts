import {
  type Address,
  createWalletClient,
  erc20Abi,
  http,
  keccak256,
  type PrivateKeyAccount,
  publicActions,
  toHex,
} from "viem";
import { mnemonicToAccount, privateKeyToAccount } from "viem/accounts";
import { addresses } from "#addresses";
import { hardhat } from "#offchain/core/localChain.ts";
import { bentChain } from "./faults.ts";

export const chainId = 31337;
export const contracts = addresses[chainId];

const mnemonic = "test test test test test test test test test test test junk";
export const operator = mnemonicToAccount(mnemonic);
/** Has USDC from the deployment, and nobody else sends from it. */
const faucet = mnemonicToAccount(mnemonic, { addressIndex: 9 });

/** What each agent has on the chain at the start, base units. */
export const startFunds = 20_000_000n;
const gasMoney = 10n ** 18n;
/** Gas of a USDC transfer with room to spare: estimating each would double the requests. */
const transferGas = 120_000n;

/** The same agents for the same seed. */
export const walletOf = (seed: number, at: number): PrivateKeyAccount =>
  privateKeyToAccount(keccak256(toHex(`bursar soak ${seed} ${at}`)));

/** Gives every agent USDC and gas money. */
export async function fund(rpcUrl: string, agents: readonly Address[]): Promise<void> {
  const chain = bentChain(rpcUrl);
  const wallet = createWalletClient({ account: faucet, chain: hardhat, transport: http(rpcUrl) }).extend(
    publicActions,
  );
  for (const address of agents) {
    await chain.setBalance({ address, value: gasMoney });
    // One after the other: a chain that mines at once takes no nonce ahead of its turn.
    const hash = await wallet.writeContract({
      address: contracts.TestUSDC,
      abi: erc20Abi,
      functionName: "transfer",
      args: [address, startFunds],
      gas: transferGas,
    });
    const { status } = await chain.waitForTransactionReceipt({ hash });
    if (status !== "success") throw new Error(`${address} could not be funded: ${hash}`);
  }
}

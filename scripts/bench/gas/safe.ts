import { createRequire } from "node:module";
import {
  type Abi,
  type Account,
  concat,
  encodeFunctionData,
  erc20Abi,
  getContract,
  type Hex,
  keccak256,
  toHex,
  zeroAddress,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import type { Connection } from "./connection.ts";

const require = createRequire(import.meta.url);

/** The peer's own build, from the npm package `@safe-global/safe-contracts` 1.4.1. */
const artifact = (path: string) =>
  require(`@safe-global/safe-contracts/build/artifacts/contracts/${path}.json`) as {
    abi: Abi;
    bytecode: Hex;
  };

const safeTxTypes = {
  SafeTx: [
    { name: "to", type: "address" },
    { name: "value", type: "uint256" },
    { name: "data", type: "bytes" },
    { name: "operation", type: "uint8" },
    { name: "safeTxGas", type: "uint256" },
    { name: "baseGas", type: "uint256" },
    { name: "gasPrice", type: "uint256" },
    { name: "gasToken", type: "address" },
    { name: "refundReceiver", type: "address" },
    { name: "nonce", type: "uint256" },
  ],
} as const;

/** Gas of Safe's 2-of-3 ERC-20 payment beside ours: the same token, a recipient that holds some already, warm nonce. */
export async function safeGas(connection: Connection): Promise<Record<string, bigint>> {
  const { viem } = connection;
  const client = await viem.getPublicClient();
  const [relayer, payee] = await viem.getWalletClients();
  if (!relayer || !payee) throw new Error("the network has too few accounts");
  const usdc = await viem.deployContract("TestUSDC", [relayer.account.address]);
  const { safe, owners } = await standSafe(connection);
  await usdc.write.mint([safe.address, 1_000_000n]);
  await usdc.write.mint([payee.account.address, 1n]);
  const domain = { chainId: await client.getChainId(), verifyingContract: safe.address };
  const data = encodeFunctionData({
    abi: erc20Abi,
    functionName: "transfer",
    args: [payee.account.address, 1_000n],
  });
  const transaction = { ...plain, to: usdc.address, data };

  async function pay(nonce: bigint): Promise<bigint> {
    const message = { ...transaction, nonce };
    const signatures = await Promise.all(
      owners
        .slice(0, 2)
        .map((owner) => owner.signTypedData({ domain, types: safeTxTypes, primaryType: "SafeTx", message })),
    );
    const { to, value, operation, safeTxGas, baseGas, gasPrice, gasToken, refundReceiver } = transaction;
    const hash = await safe.write.execTransaction?.([
      to,
      value,
      data,
      operation,
      safeTxGas,
      baseGas,
      gasPrice,
      gasToken,
      refundReceiver,
      concat(signatures),
    ]);
    if (!hash) throw new Error("Safe has no execTransaction");
    return (await client.waitForTransactionReceipt({ hash })).gasUsed;
  }
  await pay(0n);
  return { "Safe 1.4.1: 2-of-3 ERC-20 payment": await pay(1n) };
}

/** A call that Safe neither delegates nor refunds. */
const plain = {
  value: 0n,
  operation: 0,
  safeTxGas: 0n,
  baseGas: 0n,
  gasPrice: 0n,
  gasToken: zeroAddress,
  refundReceiver: zeroAddress,
} as const;

/** A Safe of three owners, two of whom decide; and those owners, by address. */
async function standSafe({ viem }: Connection) {
  const client = await viem.getPublicClient();
  const [relayer] = await viem.getWalletClients();
  if (!relayer) throw new Error("the network has too few accounts");
  const receipt = async (hash: Hex) => client.waitForTransactionReceipt({ hash });
  const deployed = async (path: string) => {
    const { abi, bytecode } = artifact(path);
    const { contractAddress: address } = await receipt(await relayer.deployContract({ abi, bytecode }));
    if (!address) throw new Error(`${path} was not deployed`);
    return { abi, address };
  };
  const singleton = await deployed("Safe.sol/Safe");
  const factory = await deployed("proxies/SafeProxyFactory.sol/SafeProxyFactory");
  const byAddress = (a: Account, b: Account) => (a.address.toLowerCase() < b.address.toLowerCase() ? -1 : 1);
  const owners = ["first", "second", "third"]
    .map((name) => privateKeyToAccount(keccak256(toHex(name))))
    .toSorted(byAddress);
  const addresses = owners.map(({ address }) => address);
  const setup = encodeFunctionData({
    abi: singleton.abi,
    functionName: "setup",
    args: [addresses, 2n, zeroAddress, "0x", zeroAddress, zeroAddress, 0n, zeroAddress],
  });
  const { request, result } = await client.simulateContract({
    ...factory,
    functionName: "createProxyWithNonce",
    args: [singleton.address, setup, 0n],
    account: relayer.account,
  });
  await receipt(await relayer.writeContract(request));
  const address = result as Hex;
  const safe = getContract({ abi: singleton.abi, address, client: { public: client, wallet: relayer } });
  return { safe, owners };
}

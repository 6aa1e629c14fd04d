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
export async function safeGas({ viem }: Connection): Promise<Record<string, bigint>> {
  const client = await viem.getPublicClient();
  const [relayer, payee] = await viem.getWalletClients();
  if (!relayer || !payee) throw new Error("the network has too few accounts");
  const receipt = async (hash: Hex) => client.waitForTransactionReceipt({ hash });
  const deployed = async (path: string) => {
    const { abi, bytecode } = artifact(path);
    const { contractAddress: address } = await receipt(await relayer.deployContract({ abi, bytecode }));
    if (!address) throw new Error(`${path} was not deployed`);
    return { abi, address };
  };
  const usdc = await viem.deployContract("TestUSDC", [relayer.account.address]);
  const singleton = await deployed("Safe.sol/Safe");
  const factory = await deployed("proxies/SafeProxyFactory.sol/SafeProxyFactory");
  const byAddress = (a: Account, b: Account) => (a.address.toLowerCase() < b.address.toLowerCase() ? -1 : 1);
  const owners = ["first", "second", "third"]
    .map((name) => privateKeyToAccount(keccak256(toHex(name))))
    .toSorted(byAddress);
  const setup = encodeFunctionData({
    abi: singleton.abi,
    functionName: "setup",
    args: [
      owners.map(({ address }) => address),
      2n,
      zeroAddress,
      "0x",
      zeroAddress,
      zeroAddress,
      0n,
      zeroAddress,
    ],
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
  await usdc.write.mint([address, 1_000_000n]);
  await usdc.write.mint([payee.account.address, 1n]);

  async function pay(nonce: bigint): Promise<bigint> {
    const transaction = {
      to: usdc.address,
      value: 0n,
      data: encodeFunctionData({
        abi: erc20Abi,
        functionName: "transfer",
        args: [payee?.account.address ?? zeroAddress, 1_000n],
      }),
      operation: 0,
      safeTxGas: 0n,
      baseGas: 0n,
      gasPrice: 0n,
      gasToken: zeroAddress,
      refundReceiver: zeroAddress,
    } as const;
    const domain = { chainId: await client.getChainId(), verifyingContract: address };
    const signatures = await Promise.all(
      owners.slice(0, 2).map((owner) =>
        owner.signTypedData({
          domain,
          types: safeTxTypes,
          primaryType: "SafeTx",
          message: { ...transaction, nonce },
        }),
      ),
    );
    const hash = await safe.write.execTransaction?.([...Object.values(transaction), concat(signatures)]);
    if (!hash) throw new Error("Safe has no execTransaction");
    return (await receipt(hash)).gasUsed;
  }
  await pay(0n);
  return { "Safe 1.4.1: 2-of-3 ERC-20 payment": await pay(1n) };
}

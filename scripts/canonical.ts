import { readFile } from "node:fs/promises";
import { type Abi, type Address, type Client, encodeDeployData, type Hex } from "viem";

/** Where x402's `batch-settlement` scheme expects its contracts, on every chain (`@x402/evm`, constants). */
export const BATCH_SETTLEMENT_ADDRESS: Address = "0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003";
export const ERC3009_DEPOSIT_COLLECTOR_ADDRESS: Address = "0x4020806089470a89826cB9fB1f4059150b550004";
/** Multicall3's address on every chain (mds1/multicall3). */
export const MULTICALL3_ADDRESS: Address = "0xcA11bde05977b3631167028862bE2a173976CA11";

const ARTIFACTS = new URL("../artifacts/contracts/", import.meta.url);

interface Placement {
  address: Address;
  artifact: string;
  args: readonly unknown[];
}

const PLACEMENTS: readonly Placement[] = [
  {
    address: BATCH_SETTLEMENT_ADDRESS,
    artifact: "payments/BatchSettlement.sol/BatchSettlement.json",
    args: [],
  },
  {
    address: ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
    artifact: "payments/Erc3009DepositCollector.sol/Erc3009DepositCollector.json",
    args: [BATCH_SETTLEMENT_ADDRESS],
  },
  { address: MULTICALL3_ADDRESS, artifact: "dev/Multicall3.sol/Multicall3.json", args: [] },
];

/** The node's answer to a creation call holds no code: it is no development node, or the constructor failed. */
export class CanonicalCodeMissing extends Error {
  readonly artifact: string;

  constructor(artifact: string) {
    super(`No runtime code from a simulated creation of ${artifact}: is this a development node?`);
    this.name = "CanonicalCodeMissing";
    this.artifact = artifact;
  }
}

/**
 * Puts our contracts at the scheme's fixed addresses on a local chain (Hardhat or Anvil), so that the official
 * client, server and facilitator find them. Idempotent; needs built artifacts; sends no transaction.
 * @param artifacts The build's folder of contracts.
 */
export async function placeCanonical(client: Client, artifacts = ARTIFACTS): Promise<void> {
  for (const { address, artifact, args } of PLACEMENTS) {
    const { abi, bytecode } = await readArtifact(new URL(artifact, artifacts));
    // A creation run as a call returns the runtime code with its immutables filled in.
    const code = await rpc<Hex>(client, "eth_call", [
      { data: encodeDeployData({ abi, bytecode, args }) },
      "latest",
    ]);
    if (code === "0x") throw new CanonicalCodeMissing(artifact);
    await rpc(client, "hardhat_setCode", [address, code]);
  }
}

async function readArtifact(file: URL): Promise<{ abi: Abi; bytecode: Hex }> {
  return JSON.parse(await readFile(file, "utf8")) as { abi: Abi; bytecode: Hex };
}

/** viem types only standard methods; development nodes have more. */
function rpc<T>(client: Client, method: string, params: readonly unknown[]): Promise<T> {
  const request = client.request as (call: { method: string; params: readonly unknown[] }) => Promise<T>;
  return request({ method, params });
}

import { readFile } from "node:fs/promises";
import { type Abi, type Address, type Client, encodeDeployData, type Hex } from "viem";

/** Where x402's `batch-settlement` scheme expects its contracts, on every chain (`@x402/evm`, constants). */
export const BATCH_SETTLEMENT_ADDRESS: Address = "0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003";
export const ERC3009_DEPOSIT_COLLECTOR_ADDRESS: Address = "0x4020806089470a89826cB9fB1f4059150b550004";
/** Multicall3's address on every chain (mds1/multicall3). */
export const MULTICALL3_ADDRESS: Address = "0xcA11bde05977b3631167028862bE2a173976CA11";

/** Finds the artifact of a contract by its path without an ending, as `payments/Clearing`. */
export type ArtifactOf = (contract: string) => URL;

/** The artifacts of a build, in its folder of contracts. */
export const artifactsOfBuild =
  (folder: URL): ArtifactOf =>
  (contract) =>
    new URL(`${contract}.sol/${contract.split("/").at(-1)}.json`, folder);

const usualBuild = artifactsOfBuild(new URL("../../artifacts/contracts/", import.meta.url));

interface Placement {
  address: Address;
  contract: string;
  args: readonly unknown[];
}

/** What stands there. */
export const placements: readonly Placement[] = [
  { address: BATCH_SETTLEMENT_ADDRESS, contract: "payments/BatchSettlement", args: [] },
  {
    address: ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
    contract: "payments/Erc3009DepositCollector",
    args: [BATCH_SETTLEMENT_ADDRESS],
  },
  { address: MULTICALL3_ADDRESS, contract: "dev/Multicall3", args: [] },
];

/** The node's answer to a creation call holds no code: it is no development node, or the constructor failed. */
export class CanonicalCodeMissing extends Error {
  readonly contract: string;

  constructor(contract: string) {
    super(`No runtime code from a simulated creation of ${contract}: is this a development node?`);
    this.name = "CanonicalCodeMissing";
    this.contract = contract;
  }
}

/**
 * Puts our contracts at the scheme's fixed addresses on a local chain (Hardhat or Anvil), so that the official
 * client, server and facilitator find them. Idempotent; sends no transaction.
 * @param artifactOf Where their code is read from; else the build that tests use, which must be there.
 */
export async function placeCanonical(client: Client, artifactOf: ArtifactOf = usualBuild): Promise<void> {
  for (const { address, contract, args } of placements) {
    const { abi, bytecode } = await readArtifact(artifactOf(contract));
    // A creation run as a call returns the runtime code with its immutables filled in.
    const code = await rpc<Hex>(client, "eth_call", [
      { data: encodeDeployData({ abi, bytecode, args }) },
      "latest",
    ]);
    if (code === "0x") throw new CanonicalCodeMissing(contract);
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

// Deploys the contracts to a running local chain. Safe to run again: what stands is left alone.
//   node scripts/contracts/deploy.ts --help
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { HardhatUserConfig } from "hardhat/config";
import { createHardhatRuntimeEnvironment, importUserConfig } from "hardhat/hre";
import {
  type Address,
  createPublicClient,
  createWalletClient,
  getAddress,
  type Hash,
  HttpRequestError,
  http,
  isAddress,
  isAddressEqual,
  type PublicClient,
} from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { developmentChainIds, isDevelopmentChain, localChain } from "#offchain/core/localChain.ts";
import { readCommand } from "#offchain/platform/commandLine.ts";
import bursar from "../ignition/modules/Bursar.ts";
import {
  type ArtifactOf,
  artifactsOfBuild,
  BATCH_SETTLEMENT_ADDRESS,
  ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
  MULTICALL3_ADDRESS,
  placeCanonical,
} from "./canonical.ts";
import { changesBetween, readBuiltFrom } from "./creationCode/builtFrom.ts";
import { fromShipped, readShipped, shippedArtifacts } from "./creationCode/shipped.ts";
import { handOver } from "./handover.ts";
import { compile, hardhatConfig, inProduction, productionArtifacts } from "./productionBuild.ts";

/** The same deployer with the same nonces gives both chains the same addresses. */
export type LocalChainId = (typeof developmentChainIds)[number];

const root = join(import.meta.dirname, "../..");
const generatedPath = join(root, "contracts/generated/addresses.ts");

/** Contract name → address. */
export type Addresses = Readonly<Record<string, Address>>;

const canonicalAddresses: Addresses = {
  BatchSettlement: BATCH_SETTLEMENT_ADDRESS,
  Erc3009DepositCollector: ERC3009_DEPOSIT_COLLECTOR_ADDRESS,
  Multicall3: MULTICALL3_ADDRESS,
};

/** What the deployment's module calls otherwise than the contract. */
const contractNames: Readonly<Record<string, string>> = {
  usdc: "TestUSDC",
  timelock: "TimelockController",
  governor: "AgentGovernor",
};
const pascalCase = (name: string) => `${name.charAt(0).toUpperCase()}${name.slice(1)}`;

/** The contracts stand elsewhere than the committed addresses say: the chain was used before, or the order changed. */
export class AddressesDiffer extends Error {
  override readonly name = "AddressesDiffer";
}

/**
 * Deploys through Ignition and places the canonical code, as far as the chain does not have it yet. The production
 * build comes with the repository; it is compiled only if what it was built from has changed since.
 */
export async function deploy(rpcUrl: string): Promise<Addresses> {
  const client = createPublicClient({ transport: http(rpcUrl) });
  const chainId = await client.getChainId();
  assertLocal(chainId);
  const known = await generatedAddresses(chainId);
  const stands = Object.keys(known).length > 0 && (await haveCode(client, known));
  if (stands) return known;
  const { hash } = await client.getBlock({ blockNumber: 0n });
  process.env.BURSAR_RPC_URL = rpcUrl;
  const code = await findCode();
  const addresses = await deployByIgnition(rpcUrl, code, { chainId, genesisHash: hash });
  await placeCanonical(client, code.artifactOf);
  const all = { ...addresses, ...canonicalAddresses };
  if (!(await haveCode(client, all)))
    throw new Error(`after the deployment a contract has no code at ${rpcUrl}`);
  return all;
}

/** Another chain than a local one: the addresses that are shipped are those of local chains. */
export class NotLocal extends Error {
  override readonly name = "NotLocal";
}

function assertLocal(chainId: number): asserts chainId is LocalChainId {
  if (!isDevelopmentChain(chainId))
    throw new NotLocal(
      `chain ${chainId} is not a local chain (${developmentChainIds.join(", ")}): only these are supported today`,
    );
}

/** The committed addresses of a local chain; empty before they were first written. */
export async function generatedAddresses(chainId: LocalChainId): Promise<Addresses> {
  const text = await readFile(generatedPath, "utf8").catch(() => "");
  const [, ofChain = ""] = new RegExp(`^ {2}${chainId}: \\{\\n((?: {4}.*\\n)*)`, "m").exec(text) ?? [];
  const pairs = [...ofChain.matchAll(/^ {4}(\w+): "(0x[0-9a-fA-F]{40})",$/gm)];
  return Object.fromEntries(pairs.map(([, name = "", address = ""]) => [name, getAddress(address)]));
}

async function haveCode(client: PublicClient, addresses: Addresses): Promise<boolean> {
  const codes = await Promise.all(Object.values(addresses).map((address) => client.getCode({ address })));
  return codes.every((code) => code !== undefined);
}

/** Where the creation code is read from. */
interface Code {
  config: HardhatUserConfig;
  artifactOf: ArtifactOf;
}

async function findCode(): Promise<Code> {
  const user = await importUserConfig(hardhatConfig);
  const startedAt = performance.now();
  const shipped = await readShipped(root);
  const changes = shipped
    ? changesBetween(shipped, await readBuiltFrom(root, user))
    : ["contracts/generated/production is not there"];
  if (changes.length === 0) return { config: fromShipped(user), artifactOf: shippedArtifacts };
  const more = changes.length > 1 ? ` (and ${changes.length - 1} more)` : "";
  console.log(`compiling the contracts for some minutes, because ${changes[0]}${more}`);
  await compile(inProduction(user));
  console.log(
    `built in ${seconds(startedAt)}; node scripts/contracts/creationCode.ts --write ships this build`,
  );
  return { config: inProduction(user), artifactOf: artifactsOfBuild(productionArtifacts) };
}

async function deployByIgnition(
  rpcUrl: string,
  { config }: Code,
  { chainId, genesisHash }: { chainId: LocalChainId; genesisHash: Hash },
): Promise<Addresses> {
  const options = { config: hardhatConfig, network: "local" };
  const hre = await createHardhatRuntimeEnvironment(config, options, root);
  const startedAt = performance.now();
  const connection = await hre.network.create();
  // A deployment is resumed by its id, so every life of a local chain needs another; two chains that were started in
  // the same second have the same genesis, but not the same port.
  const deploymentId = `chain-${chainId}-${genesisHash.slice(2, 18)}-${new URL(rpcUrl).port}`;
  const contracts: Record<string, { address: Address }> = await connection.ignition.deploy(bursar, {
    deploymentId,
  });
  await connection.close();
  // The journal is of use only to resume; what stands is seen on the chain itself.
  await rm(join(root, "scripts/ignition/deployments", deploymentId), { recursive: true, force: true });
  console.log(`deployed in ${seconds(startedAt)}`);
  return Object.fromEntries(
    Object.entries(contracts).map(([name, { address }]) => [
      contractNames[name] ?? pascalCase(name),
      address,
    ]),
  );
}

/** Writes the addresses of a local chain; those of the others stay. */
async function writeAddresses(chainId: LocalChainId, addresses: Addresses): Promise<void> {
  const chains = await Promise.all(
    developmentChainIds.map(async (id) =>
      sectionOf(id, id === chainId ? addresses : await generatedAddresses(id)),
    ),
  );
  const text = [
    "// Written by scripts/contracts/deploy.ts --write. Do not edit.\n\n",
    "/** Where the contracts stand, by chain id. */\n",
    `export const addresses = {\n${chains.join("")}} as const;\n`,
  ];
  await mkdir(dirname(generatedPath), { recursive: true });
  await writeFile(generatedPath, text.join(""));
}

function sectionOf(chainId: LocalChainId, addresses: Addresses): string {
  const lines = Object.entries(addresses)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, address]) => `    ${name}: "${address}",\n`);
  return lines.length === 0 ? "" : `  ${chainId}: {\n${lines.join("")}  },\n`;
}

async function assertGenerated(chainId: LocalChainId, addresses: Addresses): Promise<void> {
  const committed = await generatedAddresses(chainId);
  for (const [name, address] of Object.entries(addresses)) {
    const wanted = committed[name];
    if (!wanted || !isAddressEqual(wanted, address))
      throw new AddressesDiffer(
        `${name} stands at ${address}, but contracts/generated/addresses.ts says ${wanted}`,
      );
  }
}

const seconds = (since: number): string => `${((performance.now() - since) / 1_000).toFixed(1)} s`;

const help = `node scripts/contracts/deploy.ts [options]

Deploys the contracts to a running local chain (${developmentChainIds.join(" or ")}), and checks that they stand where
contracts/generated/addresses.ts says.

  --rpc-url <url>   the chain (default: BURSAR_RPC_URL or http://127.0.0.1:8545)
  --write           writes contracts/generated/addresses.ts instead of checking it
  --handover <a>    gives every admin role to the timelock: only a vote of AVT changes anything from then on; account <a>,
                    which the service then runs with, becomes operator of Clearing, scorer and anchorer; it
                    must have staked clearingMinBond of AVT with itself before`;

if (import.meta.main) {
  const values = readCommand(help, {
    "rpc-url": { type: "string", default: process.env.BURSAR_RPC_URL ?? "http://127.0.0.1:8545" },
    write: { type: "boolean", default: false },
    handover: { type: "string", default: "" },
  });
  try {
    await main(values["rpc-url"], values);
  } catch (error) {
    if (!(error instanceof NotLocal || error instanceof HttpRequestError)) throw error;
    console.error(error instanceof NotLocal ? error.message : `no chain answers at ${values["rpc-url"]}`);
    process.exitCode = 1;
  }
}

async function main(rpcUrl: string, { write, handover }: { write: boolean; handover: string }) {
  if (handover !== "" && !isAddress(handover)) throw new Error(`--handover ${handover} is no address`);
  const addresses = await deploy(rpcUrl);
  const chainId = await createPublicClient({ transport: http(rpcUrl) }).getChainId();
  assertLocal(chainId);
  if (write) await writeAddresses(chainId, addresses);
  else await assertGenerated(chainId, addresses);
  if (isAddress(handover)) await handOverTo(rpcUrl, chainId, addresses, handover);
  console.table(addresses);
}

async function handOverTo(
  rpcUrl: string,
  chainId: LocalChainId,
  addresses: Addresses,
  service: Address,
): Promise<void> {
  const transport = http(rpcUrl);
  const deployer = mnemonicToAccount("test test test test test test test test test test test junk");
  const { AccessManager: accessManager, TimelockController: timelock } = addresses;
  const { Clearing: clearing, VickreyAuction: auction } = addresses;
  if (!accessManager || !timelock || !clearing || !auction)
    throw new Error("there is no AccessManager, TimelockController, Clearing or VickreyAuction");
  await handOver({
    reader: createPublicClient({ transport }),
    wallet: createWalletClient({ account: deployer, chain: localChain(chainId), transport }),
    deployer,
    service,
    accessManager,
    timelock,
    clearing,
    auction,
  });
  console.log(`handed over: only the timelock is admin now; in three days ${service} operates Clearing`);
}

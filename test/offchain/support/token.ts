import { readFile } from "node:fs/promises";
import { type Address, encodeFunctionData, getAddress, type Hex } from "viem";
import { testUsdcAbi } from "#contracts";
import { on } from "#offchain/platform/chain/event.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { shippedArtifacts } from "../../../scripts/contracts/creationCode/shipped.ts";
import type { LocalNode } from "./node.ts";

const artifact = shippedArtifacts("dev/TestUSDC");

/** Deploys TestUSDC; who deploys it may mint. */
export async function deployToken({ client }: Pick<LocalNode, "client">): Promise<Address> {
  const { bytecode }: { bytecode: Hex } = JSON.parse(await readFile(artifact, "utf8"));
  const hash = await client.deployContract({ abi: testUsdcAbi, bytecode, args: [client.account.address] });
  const { contractAddress } = await client.waitForTransactionReceipt({ hash });
  if (!contractAddress) throw new Error("TestUSDC was not deployed");
  return getAddress(contractAddress);
}

export const mintData = (to: Address, amount: bigint): Hex =>
  encodeFunctionData({ abi: testUsdcAbi, functionName: "mint", args: [to, amount] });

/** Mints in one block each, and resolves with the last block's number. */
export async function mint(
  { client }: LocalNode,
  token: Address,
  mints: readonly [Address, bigint][],
): Promise<bigint> {
  for (const [to, amount] of mints) {
    const hash = await client.sendTransaction({ to: token, data: mintData(to, amount) });
    await client.waitForTransactionReceipt({ hash });
  }
  return client.getBlockNumber();
}

/** A read model of TestUSDC: balances, kept by events alone. */
export async function createBalances(sql: Sql): Promise<void> {
  await sql`CREATE TABLE test_balance (run_id bigint, account text, balance numeric(78, 0), PRIMARY KEY (run_id, account))`;
}

export async function balanceOf(sql: Sql, runId: bigint, account: Address): Promise<bigint> {
  const [row] = await sql<{ balance: string }[]>`
    SELECT balance::text FROM test_balance WHERE run_id = ${runId} AND account = ${account}`;
  return BigInt(row?.balance ?? 0);
}

/** Keeps `test_balance`; each event counts once, so an event applied twice or not at all shows in the sum. */
export function balanceHandler(token: Address) {
  const source = { name: "TestUSDC", abi: testUsdcAbi, addresses: [token] };
  return on(source, "Transfer", {
    apply: async (tx, { runId, args }) => {
      await tx`
        INSERT INTO test_balance VALUES (${runId}, ${args.to}, ${args.value.toString()})
        ON CONFLICT (run_id, account) DO UPDATE SET balance = test_balance.balance + excluded.balance`;
    },
    retract: async (tx, { runId, args }) => {
      await tx`
        UPDATE test_balance SET balance = balance - ${args.value.toString()}
        WHERE run_id = ${runId} AND account = ${args.to}`;
    },
  });
}

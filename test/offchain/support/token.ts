import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Address, encodeFunctionData, type Hex } from "viem";
import { testUsdcAbi } from "#contracts";
import { on } from "#offchain/chain/event.ts";
import type { Sql } from "#offchain/store/database.ts";
import { devAccount, type LocalNode } from "./node.ts";

const artifact = join(import.meta.dirname, "../../../artifacts/contracts/dev/TestUSDC.sol/TestUSDC.json");

/** Deploys TestUSDC; account 0 may mint. */
export async function deployToken({ client }: LocalNode): Promise<Address> {
  const { bytecode }: { bytecode: Hex } = JSON.parse(await readFile(artifact, "utf8"));
  const hash = await client.deployContract({ abi: testUsdcAbi, bytecode, args: [devAccount(0).address] });
  const { contractAddress } = await client.waitForTransactionReceipt({ hash });
  if (!contractAddress) throw new Error("TestUSDC was not deployed");
  return contractAddress;
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
  await sql`create table test_balance (epoch bigint, account text, balance numeric(78, 0), primary key (epoch, account))`;
}

export async function balanceOf(sql: Sql, epoch: bigint, account: Address): Promise<bigint> {
  const [row] = await sql<{ balance: string }[]>`
    select balance::text from test_balance where epoch = ${epoch} and account = ${account}`;
  return BigInt(row?.balance ?? 0);
}

/** Keeps `test_balance`; each event counts once, so an event applied twice or not at all shows in the sum. */
export function balanceHandler(token: Address) {
  const source = { name: "TestUSDC", abi: testUsdcAbi, addresses: [token] };
  return on(source, "Transfer", {
    apply: async (tx, { epoch, args }) => {
      await tx`
        insert into test_balance values (${epoch}, ${args.to}, ${args.value.toString()})
        on conflict (epoch, account) do update set balance = test_balance.balance + excluded.balance`;
    },
    retract: async (tx, { epoch, args }) => {
      await tx`
        update test_balance set balance = balance - ${args.value.toString()}
        where epoch = ${epoch} and account = ${args.to}`;
    },
  });
}

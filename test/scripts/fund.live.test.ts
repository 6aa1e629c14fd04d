import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { privateKeyToAccount } from "viem/accounts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { addresses } from "#addresses";
import { testUsdcAbi, treasuryAbi } from "#contracts";
import { deployAgain } from "../offchain/support/deployment.ts";
import { devAccount, type LocalNode, startNode } from "../offchain/support/node.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const { TestUSDC, Treasury } = addresses[31337];

let node: LocalNode;
beforeAll(async () => {
  node = await startNode();
  await deployAgain(node.url, async () => {
    await run(process.execPath, [join(root, "scripts/contracts/deploy.ts"), "--rpc-url", node.url]);
  });
});
afterAll(() => node?.stop());

const fund = (...args: string[]) =>
  run(process.execPath, [join(root, "scripts/fund.ts"), ...args, "--rpc-url", node.url]);

const standing = async (agent: `0x${string}`) => {
  const [balance, [terms, isActive]] = await Promise.all([
    node.client.readContract({
      address: TestUSDC,
      abi: testUsdcAbi,
      functionName: "balanceOf",
      args: [agent],
    }),
    node.client.readContract({
      address: Treasury,
      abi: treasuryAbi,
      functionName: "budgetOf",
      args: [agent, TestUSDC],
    }),
  ]);
  return { balance, isActive, daily: terms.daily, above: terms.approvalAbove, hourly: terms.hourly };
};

const unlimited = 2n ** 128n - 1n;

it("gives a new agent money and a budget, once, and changes what is asked otherwise", async () => {
  const { stdout } = await fund();
  const key = /^AGENT_KEY=(0x[0-9a-f]{64})$/m.exec(stdout)?.[1] as `0x${string}`;
  const agent = privateKeyToAccount(key).address;
  const first = { balance: 100_000_000n, isActive: true, daily: 50_000_000n, above: 50_000_000n };
  expect(await standing(agent)).toEqual({ ...first, hourly: unlimited });

  const block = await node.client.getBlockNumber();
  const again = await fund("--to", agent);
  expect(again.stdout).toBe(`${agent} has 100 USDC or more\nits budget is 50/day USDC already\n`);
  expect(await node.client.getBlockNumber()).toBe(block);

  const more = await fund("--to", agent, "--usdc", "130.5", "--budget", "7/hour");
  expect(more.stdout).toBe(`gave ${agent} 30.5 USDC\nits budget is 7/hour USDC now\n`);
  const changed = { balance: 130_500_000n, isActive: true, daily: unlimited, above: 7_000_000n };
  expect(await standing(agent)).toEqual({ ...changed, hourly: 7_000_000n });
});

it("says in one line what cannot be done", async () => {
  const to = devAccount(5).address;
  await expect(fund("--to", "0x12")).rejects.toMatchObject({ code: 1, stderr: "--to must be an address\n" });
  await expect(fund("--to", to, "--budget", "50")).rejects.toMatchObject({
    code: 1,
    stderr: '--budget must be such as 50/day, not "50"\n',
  });
  const nowhere = run(process.execPath, [join(root, "scripts/fund.ts"), "--rpc-url", "http://127.0.0.1:9"]);
  await expect(nowhere).rejects.toMatchObject({
    code: 1,
    stderr: "no chain answers at http://127.0.0.1:9: npm start starts one\n",
  });
});

it("touches no other chain", async () => {
  const other = await startNode(undefined, 4242);
  try {
    const asked = run(process.execPath, [join(root, "scripts/fund.ts"), "--rpc-url", other.url]);
    await expect(asked).rejects.toMatchObject({
      code: 1,
      stderr: "chain 4242 is no local chain: nobody has its owners' keys here\n",
    });
    const deployed = run(process.execPath, [
      join(root, "scripts/contracts/deploy.ts"),
      ...["--rpc-url", other.url],
    ]);
    await expect(deployed).rejects.toMatchObject({
      code: 1,
      stderr: "chain 4242 is not a local chain (31337, 31338): only these are supported today\n",
    });
  } finally {
    await other.stop();
  }
});

import { migrations } from "#offchain/app/migrations.ts";
// Settles one payment through a facilitator of its own and kills itself at the broadcast: before it, or after the
// provider took it.

import { openFacilitator } from "#offchain/features/x402/facilitator/facilitator.ts";
import { connectChain } from "#offchain/platform/chain/client/client.ts";
import { currentRun } from "#offchain/platform/chain/indexer/checkpoint.ts";
import { Sender } from "#offchain/platform/chain/sender/sender.ts";
import { openDatabase } from "#offchain/platform/database/database.ts";
import { createLog } from "#offchain/platform/observe/log.ts";
import { BATCH_SETTLEMENT_ADDRESS } from "../../../scripts/contracts/canonical.ts";
import { type ChildTask, childTask } from "./child.ts";
import { sending } from "./limits.ts";
import { devAccount } from "./node.ts";

interface Task extends ChildTask {
  killed: "before" | "after";
  treasury: `0x${string}`;
  request: Record<string, unknown>;
}

const { rpcUrl, connection, token, treasury, killed, request: payment } = childTask<Task>();
const client = connectChain({ chainId: 31337, rpcUrl });
const request = client.reader.request as (call: { method: string }, options?: object) => Promise<unknown>;
const deadly: typeof request = async (call, options) => {
  const isBroadcast = call.method === "eth_sendRawTransaction";
  if (isBroadcast && killed === "before") process.kill(process.pid, "SIGKILL");
  const answer = await request(call, options);
  if (isBroadcast) process.kill(process.pid, "SIGKILL");
  return answer;
};
Object.assign(client.reader, { request: deadly });
const sql = await openDatabase({ connection, migrations });
const clock = { now: () => Date.now() };
const sender = new Sender({ client, sql, clock, account: devAccount(9), abis: {}, limits: sending });
await sender.start();
const chainRun = await currentRun(sql, 31337);
const facilitator = openFacilitator({
  sql,
  clock,
  log: createLog({ level: "silent", clock }),
  client: client.reader,
  untrustedCode: client.untrustedCode,
  sender,
  chainId: 31337,
  runId: () => chainRun?.id ?? 0n,
  usdc: token,
  batchSettlement: BATCH_SETTLEMENT_ADDRESS,
  treasury,
  payees: [],
  settleTimeoutMs: 20_000,
  gasMax: 500_000n,
});
await facilitator.settle(payment);

import { migrations } from "#offchain/app/migrations.ts";
// Sends one transaction and kills itself at the broadcast: before it, or after the provider took it.
import { connectChain } from "#offchain/platform/chain/client/client.ts";
import { Sender } from "#offchain/platform/chain/sender/sender.ts";
import { openDatabase } from "#offchain/platform/database/database.ts";
import { type ChildTask, childTask } from "./child.ts";
import { sending } from "./limits.ts";
import { devAccount } from "./node.ts";

const { rpcUrl, connection, killed } = childTask<ChildTask & { killed: "before" | "after" }>();
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
const sender = new Sender({
  client,
  sql: await openDatabase({ connection, migrations }),
  clock: { now: () => Date.now() },
  account: devAccount(0),
  abis: {},
  limits: sending,
});
await sender.start();

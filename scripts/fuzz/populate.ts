import { join } from "node:path";
import { type HDAccount, mnemonicToAccount } from "viem/accounts";
import { addresses } from "#addresses";
import { developmentAccount } from "#offchain/demo/accounts.ts";
import { createAgent } from "#offchain/sdk/agent.ts";
import { createClient } from "#offchain/sdk/client.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { fileStates } from "#offchain/sdk/states.ts";
import { chainId } from "../stack/chain.ts";
import type { Machine } from "./machine.ts";

/** Accounts 4 and 5 of the development mnemonic, which hold USDC on a local chain. */
const account = (addressIndex: number): HDAccount =>
  mnemonicToAccount("test test test test test test test test test test test junk", { addressIndex });

/** Two agents that have paid each other, with money on the ledger: requests find something that is there. */
export async function populate(
  { url }: Machine,
  dataDir: string,
): Promise<{ operator: HDAccount; agents: readonly HDAccount[] }> {
  const operator = developmentAccount("operator");
  const agents = [account(4), account(5)];
  const office = createClient({ url, authorize: signRequests(operator, chainId) });
  const [payer, payee] = agents.map((each, at) =>
    createAgent({
      account: each,
      url,
      chainId,
      usdc: addresses[chainId].TestUSDC,
      treasury: addresses[chainId].Treasury,
      clearing: addresses[chainId].Clearing,
      states: fileStates(join(dataDir, `agent-${at}`)),
    }),
  );
  if (!payer || !payee) throw new Error("two agents are needed");
  await payer.register("Payer", "buyer");
  await payee.register("Payee", "seller");
  const channel = await payer.openChannel({ payee: payee.address, deposit: "5" });
  for (const key of ["one", "two"]) await channel.pay({ key, amount: "0.5" });
  for (const { address } of agents)
    await office.ledger.issue({ key: `money:${address}`, to: address, unit: "USDC", amount: "1000" });
  return { operator, agents };
}

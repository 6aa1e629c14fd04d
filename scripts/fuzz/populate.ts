import type { LocalAccount } from "viem";
import { accountOf, benchAgent, giveUsdc, operatorOf } from "../bench/parts/agents.ts";
import { operator } from "../soak/wallets.ts";
import type { Machine } from "./machine.ts";

/** Two agents of whom one has paid the other, with money on the ledger: requests find something that is there. */
export async function populate(
  machine: Machine,
): Promise<{ operator: LocalAccount; agents: readonly LocalAccount[] }> {
  const agents = [accountOf("payer"), accountOf("payee")];
  const [payer, payee] = [benchAgent(machine, "payer"), benchAgent(machine, "payee")];
  await payer.register("Payer", "buyer");
  await payee.register("Payee", "seller");
  await giveUsdc(machine, payer.address, 10_000_000n);
  const channel = await payer.openChannel({ payee: payee.address, deposit: "5" });
  for (const key of ["one", "two"]) await channel.pay({ key, amount: "0.5" });
  for (const { address } of agents)
    await operatorOf(machine).ledger.issue({
      key: `money:${address}`,
      to: address,
      unit: "USDC",
      amount: "1000",
    });
  return { operator, agents };
}

// Gives an agent of your own what the demo's agents have: money, and a budget in the Treasury. On the local chains only.
//   npm run demo:fund -- --help
import { createPublicClient, getAddress, HttpRequestError, http, isAddress } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { addresses } from "#addresses";
import { BursarError } from "#offchain/core/error.ts";
import { formatAmount, parseAmount } from "#offchain/core/unit.ts";
import { type BudgetTerms, budgetEnd, budgetOf, faucetOn, fund, setBudgets } from "#offchain/demo/setup.ts";
import { readCommand } from "#offchain/platform/commandLine.ts";

const help = `npm run demo:fund -- [--to <address>] [options]

Gives an agent USDC from a development account, and a budget in the Treasury, which two development accounts sign as its
owners. What the agent has already is left alone. Works on the local chains alone, while npm start runs.

  --to <address>      the agent; without it a key is made and printed
  --usdc <amount>     the USDC that it shall have at least (default 100)
  --budget <budget>   what it may spend at once, as 50/day; also /hour, /week, /month (default 50/day). A larger payment
                      becomes a proposal to the owners
  --rpc-url <url>     the chain (default: BURSAR_RPC_URL or http://127.0.0.1:8545)`;

const windows = { hour: "hourly", day: "daily", week: "weekly", month: "monthly" } as const;
const unlimited = 2n ** 128n - 1n;

/** What is asked for cannot be done; the message says why. */
class Refusal extends Error {}

/** The terms of `50/day`: that much in any day, and owners decide about more than that in one payment. */
export function budgetTerms(text: string): BudgetTerms {
  const [, amount = "", window = ""] = /^([\d.]+)\/(hour|day|week|month)$/.exec(text) ?? [];
  if (!(window in windows)) throw new Refusal(`--budget must be such as 50/day, not ${JSON.stringify(text)}`);
  const limit = parseAmount(amount, "USDC");
  const open = { hourly: unlimited, daily: unlimited, weekly: unlimited, monthly: unlimited };
  return {
    ...open,
    [windows[window as keyof typeof windows]]: limit,
    perTransaction: unlimited,
    approvalAbove: limit,
    validUntil: budgetEnd(),
    recipientsOnly: false,
  };
}

/** Whether two budgets allow the same, whenever they end. */
const allowSame = (one: BudgetTerms, other: BudgetTerms) =>
  (["perTransaction", "approvalAbove", "hourly", "daily", "weekly", "monthly"] as const).every(
    (limit) => one[limit] === other[limit],
  );

interface Wish {
  rpcUrl: string;
  agent: `0x${string}`;
  usdc: string;
  budget: string;
}

/** Gives what the agent lacks; a line for each thing that was done, or was there already. */
export async function giveAgent({ rpcUrl, agent, usdc: amount, budget }: Wish): Promise<string[]> {
  const terms = budgetTerms(budget);
  const wanted = parseAmount(amount, "USDC");
  const chainId = await createPublicClient({ transport: http(rpcUrl) }).getChainId();
  const contracts = Object.entries(addresses).find(([id]) => Number(id) === chainId)?.[1];
  if (!contracts) throw new Refusal(`chain ${chainId} is no local chain: nobody has its owners' keys here`);
  const faucet = faucetOn(rpcUrl, chainId);
  const places = { usdc: contracts.TestUSDC, treasury: contracts.Treasury };
  const given = await fund(faucet, places.usdc, agent, { below: wanted, upTo: wanted });
  const known = await budgetOf(faucet, places, agent);
  const isSet = known !== null && known.validUntil > Date.now() / 1000 && allowSame(known, terms);
  if (!isSet) await setBudgets(faucet, places, [{ agent, terms }]);
  return [
    given > 0n ? `gave ${agent} ${formatAmount(given, "USDC")} USDC` : `${agent} has ${amount} USDC or more`,
    isSet ? `its budget is ${budget} USDC already` : `its budget is ${budget} USDC now`,
  ];
}

async function main(): Promise<number> {
  const values = readCommand(help, {
    to: { type: "string" },
    usdc: { type: "string", default: "100" },
    budget: { type: "string", default: "50/day" },
    "rpc-url": { type: "string", default: process.env.BURSAR_RPC_URL ?? "http://127.0.0.1:8545" },
  });
  const rpcUrl = values["rpc-url"];
  try {
    if (values.to !== undefined && !isAddress(values.to)) throw new Refusal("--to must be an address");
    const key = values.to ? null : generatePrivateKey();
    const agent = values.to ? getAddress(values.to) : privateKeyToAccount(key as `0x${string}`).address;
    for (const line of await giveAgent({ rpcUrl, agent, usdc: values.usdc, budget: values.budget }))
      console.log(line);
    if (key) console.log(`AGENT_KEY=${key}`);
    return 0;
  } catch (error) {
    const isOffline = error instanceof HttpRequestError;
    if (!isOffline && !(error instanceof Refusal || error instanceof BursarError)) throw error;
    console.error(isOffline ? `no chain answers at ${rpcUrl}: npm start starts one` : error.message);
    return 1;
  }
}

if (import.meta.main) process.exitCode = await main();

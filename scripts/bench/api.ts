// Requests per second of the API's usual calls, and how long each takes, beside an empty route of the same server.
//   npm run bench:api [-- --json --requests 2000 --callers 16]

import { faucetOn } from "#offchain/demo/setup.ts";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { createClient } from "#offchain/sdk/client.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { payingFetch, paymentReceipt } from "#offchain/sdk/payingFetch.ts";
import { chainId, contracts } from "../soak/wallets.ts";
import type { Stack } from "../stack/stack.ts";
import { accountOf, giveUsdc, operatorOf } from "./parts/agents.ts";
import { count, round, spread } from "./parts/figures.ts";
import { atOnce, type Prepared, sendWell } from "./parts/load.ts";
import { onStack, unlimited } from "./parts/stack.ts";

const help = `npm run bench:api [-- options]

Requests of many callers at once, each waiting for its answer: an empty route (/health, whose report is a second old at
most), an agent's balance, its transfer on the ledger, and a request that is paid by x402 through a channel. Balances and
transfers are signed beforehand; a paid request is two, with its voucher's signature between them. The limits of rates are
off. There is no MCP door yet: its tool call comes with it.

  --requests <n>   requests to each route (default 2000; at most what is signed within half a minute)
  --callers <n>    at once (default 16)
  --json           one JSON object as the last line`;

const values = readCommand(help, {
  requests: { type: "string", default: "2000" },
  callers: { type: "string", default: "16" },
  json: { type: "boolean", default: false },
});

/** Beforehand of each, until the service's code is compiled. */
const warmUp = 500;
const price = "0.001";
/** In all, base units. */
const funds = 1_000_000_000n;

interface Load {
  readonly requests: number;
  readonly callers: number;
}

await main({
  requests: count("requests", values.requests),
  callers: count("callers", values.callers),
});

async function main(load: Load): Promise<void> {
  const env = { ...unlimited, BURSAR_PRICES: JSON.stringify({ "carbon.estimate": price }) };
  const figures = await onStack("api", { env }, (stack) => measure(stack, load));
  console.table({ empty: { perSecond: figures.emptyPerSecond }, ...figures.routes });
  if (values.json) console.log(JSON.stringify(figures));
}

async function measure(stack: Stack, load: Load) {
  const names = Array.from({ length: load.callers }, (_, at) => `caller ${at}`);
  console.error("opening accounts");
  await openAccounts(stack, names);
  const empty = await rateOf("empty", load, async (size) =>
    Array.from({ length: size }, () => () => sendWell({ url: `${stack.apiUrl}/health` })),
  );
  const balance = await rateOf("balance", load, (size) =>
    signed(size, names, (name) => balanceOf(stack, name)),
  );
  const transfer = await rateOf("transfer", load, (size) =>
    signed(size, names, (name, at) =>
      transferOf(stack, { name, to: names[(at + 1) % names.length] ?? name, key: `bench-${size}-${at}` }),
    ),
  );
  const buy = await buyer(stack, load.callers);
  const paid = await rateOf("paid", load, async (size) => Array.from({ length: size }, () => buy));
  const shared = (figures: typeof empty) => ({
    ...figures,
    shareOfEmpty: round(figures.perSecond / empty.perSecond),
  });
  return {
    emptyPerSecond: empty.perSecond,
    routes: { balance: shared(balance), transfer: shared(transfer), paid: shared(paid) },
    ...load,
  };
}

/** @param prepare makes so many calls, each different from those that it made before for another size */
async function rateOf(
  what: string,
  { requests, callers }: Load,
  prepare: (size: number) => Promise<(() => Promise<unknown>)[]>,
) {
  console.error(what);
  await atOnce(callers, await prepare(Math.min(warmUp, requests - 1)));
  const { perSecond, times } = await atOnce(callers, await prepare(requests));
  return { perSecond: Math.round(perSecond), ...spread(times) };
}

/** Each caller has an account on the ledger that can pay. */
async function openAccounts(stack: Stack, names: readonly string[]): Promise<void> {
  const operator = operatorOf(stack);
  for (const name of names) {
    const account = accountOf(name);
    const client = createClient({ url: stack.apiUrl, authorize: signRequests(account, chainId) });
    await client.agents.register({ address: account.address, name, role: "buyer" });
    await operator.ledger.issue({
      key: `funds-of-${account.address}`,
      to: account.address,
      unit: "AVT",
      amount: "1000000",
    });
  }
}

async function signed(
  size: number,
  names: readonly string[],
  request: (name: string, at: number) => Promise<Prepared>,
): Promise<(() => Promise<void>)[]> {
  const calls: (() => Promise<void>)[] = [];
  for (let at = 0; at < size; at += 1) {
    const prepared = await request(names[at % names.length] ?? "", at);
    calls.push(() => sendWell(prepared));
  }
  return calls;
}

async function balanceOf({ apiUrl }: Stack, name: string): Promise<Prepared> {
  const account = accountOf(name);
  const path = `/balance/${account.address}`;
  const sign = signRequests(account, chainId);
  return { url: apiUrl + path, headers: await sign({ method: "GET", path, body: "", origin: apiUrl }) };
}

async function transferOf(
  { apiUrl }: Stack,
  { name, to, key }: { name: string; to: string; key: string },
): Promise<Prepared> {
  const path = "/transfer";
  const body = JSON.stringify({ key, to: accountOf(to).address, unit: "AVT", amount: "1" });
  const sign = signRequests(accountOf(name), chainId);
  const headers = await sign({ method: "POST", path, body, origin: apiUrl });
  return { url: apiUrl + path, method: "POST", headers, body: Buffer.from(body) };
}

/** Buys once, by one of as many channels as there are callers; each channel has had its deposit. */
async function buyer(stack: Stack, callers: number): Promise<() => Promise<void>> {
  const account = accountOf("buyer");
  await giveUsdc(stack, account.address, funds);
  const chain = faucetOn(stack.rpcUrl, chainId);
  const reader = {
    readContract: (call: object) => chain.readContract(call as Parameters<typeof chain.readContract>[0]),
  };
  const pay = payingFetch(fetch, {
    account,
    chainId,
    usdc: contracts.TestUSDC,
    maxPrice: price,
    channels: { reader, stripes: callers, maxDeposit: funds / BigInt(callers) },
  });
  const body = JSON.stringify({ work: { kind: "compute", computeType: "GPU", durationMs: 1000 } });
  const init = { method: "POST", headers: { "content-type": "application/json" }, body };
  const buy = async () => {
    const response = await pay(`${stack.apiUrl}/api/v1/carbon/estimates`, init);
    if (!paymentReceipt(response)?.success) throw new Error(`${response.status} ${await response.text()}`);
    await response.arrayBuffer();
  };
  for (let channel = 0; channel < callers; channel += 1) await buy();
  return buy;
}

import { randomUUID } from "node:crypto";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Answer, Context, type Party, party } from "../../scripts/ledger/conformance/client.ts";
import { chance } from "./support/chance.ts";
import { startTestRedis, type TestRedis } from "./support/redis.ts";
import {
  account,
  chainId,
  startSecondService,
  startTestStack,
  type TestStack,
  until,
} from "./support/stack.ts";

const unit = "USDC";
const payers = 8;
const callersPerPayer = 4;

let redis: TestRedis;
let stack: TestStack;
let second: Awaited<ReturnType<typeof startSecondService>>;
/** The service that is killed, and the one that lives on. */
let urls: [string, string];
let operators: [Party, Party];

beforeAll(async () => {
  redis = await startTestRedis();
  const env = { BURSAR_LOCKS: "redis", REDIS_URL: redis.url, BURSAR_RATE_PER_IDENTITY_PER_SECOND: "0" };
  stack = await startTestStack(env);
  second = await startSecondService(stack, env);
  urls = [stack.apiUrl, second.url];
  operators = [party(urls[0], chainId, account(0)), party(urls[1], chainId, account(0))];
}, 240_000);

afterAll(async () => {
  await second?.stop();
  await stack?.stop();
  await redis?.stop();
});

/** An agent with money, as it calls either service. */
async function fundedAgent(amount: string): Promise<[Party, Party]> {
  const key = privateKeyToAccount(generatePrivateKey());
  const agent: [Party, Party] = [party(urls[0], chainId, key), party(urls[1], chainId, key)];
  await accepted(agent[1].send("POST", "/api/v1/ledger/accounts", { unit }));
  if (amount !== "0")
    await accepted(
      operators[1].send("POST", "/api/v1/admin/tokens/issue", {
        key: randomUUID(),
        to: key.address,
        unit,
        amount,
      }),
    );
  return agent;
}

async function accepted(answer: Promise<Answer>): Promise<Answer["body"]> {
  const { status, text, body } = await answer;
  expect(status, text).toBe(200);
  return body;
}

const pay = (from: Party, to: Party, key: string, amount: string): Promise<Answer> =>
  from.send("POST", "/api/v1/token/transfer", { key, to: to.address, unit, amount });

const balanceOf = async (of: [Party, Party]): Promise<string> =>
  (await new Context(urls[1], chainId, account(0)).figures(of[1], unit))[0] ?? "";

test("what both are asked to spend at once from one balance, or one budget, is spent once", async () => {
  const payee = await fundedAgent("0");
  const [poor, bound] = [await fundedAgent("1"), await fundedAgent("5")];
  const limits = { account: bound[0].address, unit, daily: "0.5" };
  await accepted(operators[0].send("PUT", "/api/v1/ledger/limits", limits));
  const spend = async (from: [Party, Party]) => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, at) => pay(from[at % 2 === 0 ? 0 : 1], payee[0], randomUUID(), "0.1")),
    );
    const grouped = Object.groupBy(answers, ({ body }) => String(body.error_code ?? "spent"));
    return Object.fromEntries(Object.entries(grouped).map(([code, all]) => [code, all?.length]));
  };
  const [ofPoor, ofBound] = await Promise.all([spend(poor), spend(bound)]);
  expect(ofPoor).toEqual({ spent: 10, INSUFFICIENT_FUNDS: 30 });
  expect(ofBound).toEqual({ spent: 5, BUDGET_EXCEEDED: 35 });
  expect([await balanceOf(poor), await balanceOf(bound), await balanceOf(payee)]).toEqual([
    "0",
    "4.5",
    "1.5",
  ]);
});

test("one of them killed under load, the other carries on: every answer stands, nothing happens twice", async () => {
  const payee = await fundedAgent("0");
  const agents = await Promise.all(Array.from({ length: payers }, () => fundedAgent("100")));
  const [saver, saved] = [await fundedAgent("1"), await fundedAgent("0")];
  const spent = agents.map(() => 0);
  let [answered, isKilled, isEnough] = [0, false, false];
  let waiting: (() => void)[] = [];

  const caller = async (payer: number, at: number) => {
    let side: 0 | 1 = at % 2 === 0 ? 0 : 1;
    while (!isEnough) {
      const key = randomUUID();
      const send = () => pay((agents[payer] as [Party, Party])[side], payee[0], key, "0.01");
      const answer = await send().catch(() => {
        // Its service is gone: the other is sent the same request, and knows whether it was carried out.
        expect([isKilled, side]).toEqual([true, 0]);
        side = 1;
        return send();
      });
      expect(answer.status, answer.text).toBe(200);
      spent[payer] = (spent[payer] ?? 0) + 1;
      answered += 1;
      for (const wake of waiting.splice(0)) wake();
    }
  };
  const reached = async (count: number) => {
    while (answered < count) await new Promise<void>((done) => waiting.push(done));
  };
  const load = Promise.all(
    agents.flatMap((_, payer) => Array.from({ length: callersPerPayer }, (__, at) => caller(payer, at))),
  );
  const cut = load.catch(() => {
    for (const wake of waiting) wake();
    waiting = [];
    answered = Number.POSITIVE_INFINITY;
  });
  await reached(300 + chance().below(300));
  isKilled = true;
  await stack.killService();
  await reached(answered + 500);
  isEnough = true;
  await cut;
  await load;

  const left = await Promise.all(agents.map(balanceOf));
  expect(left.map(Number)).toEqual(spent.map((count) => 100 - count / 100));
  expect(Number(await balanceOf(payee))).toBe(spent.reduce((sum, count) => sum + count, 0) / 100);
  const books = await accepted(operators[1].get("/api/v1/ledger/reconciliation"));
  expect(books).toMatchObject({ ledgerBalanced: true, chainMatchesLedger: true });

  // Whoever held a job's lock when it died held it by a lease: the other takes the job over when that ends.
  const later = { key: randomUUID(), to: saved[1].address, unit, amount: "1", startsAt: Date.now() + 100 };
  await accepted(saver[1].send("POST", "/api/v1/ledger/schedules", later));
  expect(
    await until(
      () => balanceOf(saved),
      (balance) => balance !== "0",
      55_000,
    ),
  ).toBe("1");
});

import { getAbiItem, getAddress, toFunctionSelector } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { treasuryAbi } from "#contracts";
import { actions, type FeatureAction } from "#offchain/app/features.ts";
import type { ErrorBody } from "#offchain/doors/error.ts";
import { unboundedCalls } from "../offchain/support/boundedCalls.ts";
import type { Call } from "../offchain/support/callFaults.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../offchain/support/database.ts";
import { type DatabaseProxy, startDatabaseProxy } from "../offchain/support/databaseProxy.ts";
import { type FaultProxy, startFaultProxy } from "../offchain/support/faultProxy.ts";
import { testPort } from "../offchain/support/port.ts";
import {
  account,
  contracts,
  startTestStack,
  type TestStack,
  testChain,
  until,
} from "../offchain/support/stack.ts";
import { contractPayment, requestOf as paymentRequestOf, requirementsFor } from "../offchain/support/x402.ts";
import { askOverHttp } from "./asking.ts";

/**
 * Every action while the chain's provider or the database is away, made from the list of actions. What is answered then is
 * what was answered before, or 503: never our own fault, never something that is not so, and in time.
 */
/** Four seconds are promised, which the units' own tests measure by a clock; here it tells what hangs, on a loaded machine too. */
const answeredWithinMs = 20_000;

interface Answer {
  status: number;
  code: string | null;
  tookMs: number;
}

let server: TestServer;
let database: TestDatabase;
let store: DatabaseProxy;
let provider: FaultProxy;
let stack: TestStack;
/** What the chain was asked. */
const heard: Call[] = [];
/** What each action answers while all is well. */
let usual: Map<string, Answer>;

beforeAll(async () => {
  const port = await testPort();
  const target = `http://127.0.0.1:${port}`;
  const heed = (call: Call) => heard.push(call);
  provider = await startFaultProxy({ target, seed: 1, stallMs: 600_000, heard: heed });
  server = await startTestServer();
  database = await server.create();
  store = await startDatabaseProxy(database.connection);
  const { username, host, port: storePort, database: name } = store.connection;
  stack = await startTestStack(
    {
      BURSAR_RPC_URL: provider.url,
      DATABASE_URL: `postgres://${username}@${host}:${storePort}/${name}`,
      BURSAR_LOG_LEVEL: "error",
    },
    { port },
  );
  // What is written by the first round is found by the second.
  await askAll();
  usual = await askInCalm();
});
afterAll(async () => {
  provider?.setDown(false);
  store?.release();
  await stack?.stop();
  await provider?.stop();
  await store?.close();
  await database?.close();
  await server?.stop();
});

async function ask(known: FeatureAction): Promise<Answer> {
  const startedAt = performance.now();
  const response = await askOverHttp(stack.apiUrl, known);
  const said = (await response.json()) as Partial<ErrorBody>;
  return {
    status: response.status,
    code: response.ok ? null : (said.error_code ?? null),
    tookMs: performance.now() - startedAt,
  };
}

async function askAll(): Promise<Map<string, Answer>> {
  const asked = [...actions].map(async ([name, known]) => [name, await ask(known)] as const);
  return new Map(await Promise.all(asked));
}

/** Names with their answers, of actions that answered what they may not. */
/** What is answered while nothing is away: a machine under load may keep the database silent for a moment too. */
const askInCalm = () =>
  until(askAll, (answers) => ![...answers.values()].some(({ status }) => status === 503), 120_000);

function wrong(answers: ReadonlyMap<string, Answer>): string[] {
  return [...answers].flatMap(([name, { status, code, tookMs }]) => {
    const before = usual.get(name);
    const isSame = before?.status === status && before.code === code;
    // Calls of a round meet each other in any order: what was refused may be refused for another reason, but not for
    // a thing's absence.
    const isRefusedAlike = status > 400 && status < 500 && status !== 404 && (before?.status ?? 0) > 400;
    const isUsual = isSame || isRefusedAlike;
    const isTold = status === 503 && code !== null;
    return (isUsual || isTold) && status !== 500 && tookMs < answeredWithinMs
      ? []
      : `${name}: ${status} ${code} after ${Math.round(tookMs)} ms; before: ${before?.status} ${before?.code}`;
  });
}

const codesOf = (answers: ReadonlyMap<string, Answer>, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, answers.get(name)?.code]));
const all = (names: readonly string[], code: string) => Object.fromEntries(names.map((name) => [name, code]));

const isWell = () =>
  Promise.all([stack.client.treasury.show({}), stack.client.agents.list({})]).then(
    () => true,
    () => false,
  );

test("no action is our fault while all is well", () => {
  const faults = [...usual].filter(([, { status }]) => status >= 500);
  expect(faults).toEqual([]);
});

test("what anybody may read is read of the chain once for all who ask at the same time", async () => {
  const asked = async (known: FeatureAction, times: number) => {
    const before = provider.calls();
    const answers = await Promise.all(Array.from({ length: times }, () => ask(known)));
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    return provider.calls() - before;
  };
  const dear: string[] = [];
  for (const [name, known] of actions) {
    if (known.action.effect !== "read" || known.action.role !== "anonymous") continue;
    // The service's own polling is counted too.
    const [one, forty] = [await asked(known, 1), await asked(known, 40)];
    if (forty > 4 * one + 30) dear.push(`${name}: ${one} calls for one, ${forty} for forty at once`);
  }
  expect(dear).toEqual([]);
});

/** Anonymous calls in which code runs that a stranger brought: a payer's, and what a proposal calls. */
async function bringCode(): Promise<void> {
  const stranger = getAddress(`0x${"c0de".repeat(10)}`);
  const chain = testChain(stack);
  // It says yes to everything.
  await chain.setCode({ address: stranger, bytecode: "0x631626ba7e60e01b5f5260205ff3" });
  const requirements = requirementsFor(contracts.TestUSDC, 1_000n, account(5).address);
  const { payload } = contractPayment(stranger, requirements);
  const body = JSON.stringify(paymentRequestOf(payload, requirements));
  const headers = { "content-type": "application/json" };
  const verified = await fetch(`${stack.apiUrl}/x402/verify`, { method: "POST", headers, body });
  expect(await verified.json()).toMatchObject({ payer: stranger });
  await chain.writeContract({
    account: account(1),
    address: contracts.Treasury,
    abi: treasuryAbi,
    functionName: "propose",
    args: [[{ to: stranger, value: 0n, data: "0x" }], 4_242n, 2n ** 40n],
  });
  const { items } = await until(
    () => stack.client.treasury.proposals({}),
    (page) => page.items.some(({ nonce }) => nonce === "4242"),
  );
  const { proposalId = "" } = items.find(({ nonce }) => nonce === "4242") ?? {};
  expect(await stack.client.treasury.simulate({ proposalId })).toMatchObject({ succeeds: true });
}

test("what the actions have the node run has bounded gas, but for reads of the service's own contracts", async () => {
  await bringCode();
  expect(heard.some(({ method }) => method === "eth_call")).toBe(true);
  expect(heard.some(({ method }) => method === "eth_estimateGas")).toBe(true);
  expect([...new Set(unboundedCalls(heard, Object.values(contracts)))]).toEqual([]);
  // Of the Treasury only reads are the service's own: an execution runs what the proposal calls.
  const execute = toFunctionSelector(getAbiItem({ abi: treasuryAbi, name: "execute" }));
  const executions = heard.flatMap(({ params: [call] = [] }) => {
    const { data, gas = null } = (call ?? {}) as { data?: string; gas?: string };
    return data?.startsWith(execute) ? [gas] : [];
  });
  expect(new Set(executions)).toEqual(new Set(["0x1000000"]));
});

describe("every action answers in time and truly", () => {
  /** Nothing of these can be told without the chain. */
  const ofChain = ["treasury.show", "treasury.budgets", "overview.show", "wallets.list", "clearing.show"];
  /** Nothing of these can be told without the database. */
  const ofStore = ["agents.list", "treasury.list", "payments.list", "batches.list", "ledger.fees"];

  test.each<[string, () => void, () => void]>([
    ["is down", () => provider.setDown(true), () => provider.setDown(false)],
    ["says nothing", () => provider.setChances({ stall: 1 }), () => provider.setChances({})],
    ["answers with web pages", () => provider.setChances({ page: 1 }), () => provider.setChances({})],
    ["answers with words", () => provider.setChances({ word: 1 }), () => provider.setChances({})],
  ])("while the provider %s", async (_, begin, end) => {
    begin();
    const faults: string[] = [];
    // What was read of the chain within the last second may still be told.
    const answers = await until(
      async () => {
        const round = await askAll();
        faults.push(...wrong(round));
        return round;
      },
      (round) => ofChain.every((name) => round.get(name)?.code === "CHAIN_UNAVAILABLE"),
    );
    end();
    expect(faults).toEqual([]);
    expect(codesOf(answers, ofChain)).toEqual(all(ofChain, "CHAIN_UNAVAILABLE"));
    await until(isWell, Boolean, 60_000);
  });

  test.each<[string, () => void, () => void]>([
    ["is down", () => store.setDown(true), () => store.setDown(false)],
    ["says nothing", () => store.hold(), () => store.release()],
  ])("while the database %s", async (_, begin, end) => {
    begin();
    const answers = await askAll();
    end();
    expect(wrong(answers)).toEqual([]);
    expect(codesOf(answers, ofStore)).toEqual(all(ofStore, "STORE_UNAVAILABLE"));
    await until(isWell, Boolean, 60_000);
  });

  test("before the chain is met", async () => {
    await stack.killService();
    provider.setDown(true);
    const started = stack.startService();
    started.catch(() => {});
    const isUp = () =>
      fetch(`${stack.apiUrl}/health`).then(
        () => true,
        () => false,
      );
    await until(isUp, Boolean, 60_000);
    const answers = await askAll();
    provider.setDown(false);
    await started;
    // What the same process answers once the chain is met.
    usual = await askInCalm();
    expect(wrong(answers)).toEqual([]);
    // A run is not known yet, and so neither what belongs to it nor that nothing does.
    const ofRun = ["treasury.proposal", "channels.show", "events.list", "payments.pay", "clearing.show"];
    expect(codesOf(answers, ofRun)).toEqual(all(ofRun, "CHAIN_UNAVAILABLE"));
  });
});

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { z } from "zod";
import { actions, type FeatureAction } from "#offchain/app/features.ts";
import { type Caller, isAtLeast } from "#offchain/core/call/caller.ts";
import type { ErrorCode } from "#offchain/core/error.ts";
import { type MemoryDoor, type Outcome, openMemoryDoor } from "#offchain/doors/memory/door.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import type { Signer } from "#offchain/sdk/paying/channel.ts";
import { requestOf } from "../../scripts/bench/parts/reads/request.ts";
import { sampleOf } from "../../scripts/bench/parts/reads/sample.ts";
import { booksOf, changedTables, untilQuiet } from "../../scripts/fuzz/books.ts";
import { type Machine, openMachine } from "../../scripts/fuzz/machine.ts";
import { layDataFolder } from "../offchain/support/dataFolder.ts";
import { deployAgain } from "../offchain/support/deployment.ts";
import { testPort } from "../offchain/support/port.ts";
import { type AccessRule, access, agentNames } from "./access/rules.ts";
import { inTheNameOf } from "./access/signed.ts";
import { type AccessWorld, callerOf, openAccessWorld } from "./access/world.ts";

/**
 * Every action, asked by everybody: who may do what stands in the action's role and in one table, `access/rules.ts`. What is
 * refused changes nothing, and nobody is told what is another's.
 */
const data = join(import.meta.dirname, "../../data");
const callers = ["nobody", ...agentNames, "operator"] as const;
type Who = (typeof callers)[number];
const roleOf: Record<Who, Caller["role"]> = {
  nobody: "anonymous",
  owner: "agent",
  payee: "agent",
  worker: "agent",
  stranger: "agent",
  operator: "operator",
};

let machine: Machine;
let world: AccessWorld;
let door: MemoryDoor;
let dataDir: string;
/** Tables that change by themselves. */
let restless: ReadonlySet<string>;
/** What each action is asked about, made before everything is quiet. */
const inputs = new Map<string, Record<string, unknown>>();
/** What everybody was told, refusals too. */
const told: { who: Who; by: string; text: string }[] = [];

beforeAll(async () => {
  await mkdir(data, { recursive: true });
  dataDir = await mkdtemp(join(data, "access-"));
  await layDataFolder(join(dataDir, "postgres"));
  machine = await openMachine({ dataDir, port: await testPort(), deploy: deployAgain });
  door = openMemoryDoor(machine.service);
  void listenToStream();
  world = await openAccessWorld(machine);
  for (const { action } of all) {
    const about = await ruleOf(action.name).about(world);
    inputs.set(action.name, { ...(sampleOf(action.input) as object), ...about });
  }
  restless = await untilQuiet(machine.sql);
});
afterAll(async () => {
  await machine?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const ruleOf = (name: string): AccessRule => {
  const rule = (access as Readonly<Record<string, AccessRule>>)[name];
  if (!rule) throw new Error(`say in test/kinds/access/rules.ts who may call ${name}`);
  return rule;
};
const all = [...actions.values()];

const aboutOf = ({ action: { name } }: FeatureAction) => inputs.get(name) ?? {};

function mayCall(who: Who, { action }: FeatureAction): boolean {
  if (!isAtLeast(roleOf[who], action.role)) return false;
  const { agents } = ruleOf(action.name);
  return agents === "all" || who === "operator" || agents.some((agent) => agent === who);
}

async function ask(who: Who, { action }: FeatureAction, input: object): Promise<Outcome> {
  const caller: Caller = who === "nobody" ? { role: "anonymous" } : callerOf(who);
  const outcome = await door.call(caller, { action: action.name, input });
  const text = JSON.stringify(outcome, (_, value) => (typeof value === "bigint" ? `${value}` : value));
  told.push({ who, by: action.name, text });
  return outcome;
}

/** Pages that anybody opens are told by it what happens. It ends with the service. */
async function listenToStream(): Promise<void> {
  const { body } = await fetch(`${machine.apiUrl}/api/v1/stream`);
  const parts = body?.pipeThrough(new TextDecoderStream()) ?? [];
  try {
    for await (const text of parts) told.push({ who: "nobody", by: "the stream", text });
  } catch {
    // The service was stopped.
  }
}

/** @param work must leave the database as it finds it */
async function changedBy(work: () => Promise<unknown>): Promise<string[]> {
  const before = await booksOf(machine.sql);
  await work();
  return changedTables(before, await booksOf(machine.sql)).filter((table) => !restless.has(table));
}

const codeOf = (outcome: Outcome) => (outcome.ok ? "it was done" : outcome.error.error_code);

test("every action says who may call it", () => {
  expect(Object.keys(access).toSorted()).toEqual([...actions.keys()].toSorted());
});

test("what somebody may not do is refused, and changes nothing", async () => {
  const wrong: string[] = [];
  let asked = 0;
  const changed = await changedBy(async () => {
    for (const known of all)
      for (const who of callers) {
        if (mayCall(who, known)) continue;
        const { name, role } = known.action;
        const isRole = !isAtLeast(roleOf[who], role);
        const ofOthers = ruleOf(name).refusal ?? "FORBIDDEN";
        const expected = isRole ? (who === "nobody" ? "SIGNATURE_MISSING" : "FORBIDDEN") : ofOthers;
        const code = codeOf(await ask(who, known, aboutOf(known)));
        if (code !== expected) wrong.push(`${name} by ${who}: ${code} instead of ${expected}`);
        asked += 1;
      }
  });
  expect(wrong).toEqual([]);
  expect(changed).toEqual([]);
  expect(asked).toBeGreaterThan(all.length);
});

test("what is signed in another's name is refused, whoever brings it, and changes nothing", async () => {
  const wrong: string[] = [];
  const changed = await changedBy(async () => {
    for (const known of all) {
      const { name } = known.action;
      const { signed } = ruleOf(name);
      if (!signed) continue;
      const { owner, stranger } = world.agents;
      const named = signed.nameOf?.(world) ?? owner;
      for (const who of callers) {
        const outcome = await ask(who, known, await signed.by(world, inTheNameOf(named, stranger)));
        const isRefused =
          typeof signed.forged === "string"
            ? codeOf(outcome) === signed.forged
            : outcome.ok && isLike(outcome.output, signed.forged);
        if (!isRefused) wrong.push(`${name} by ${who}: ${JSON.stringify(outcome)}`);
      }
    }
  });
  expect(wrong).toEqual([]);
  expect(changed).toEqual([]);
});

function isLike(output: unknown, part: object): boolean {
  try {
    expect(output).toMatchObject(part);
    return true;
  } catch {
    return false;
  }
}

/** How a request is signed that must not be carried out, and what it is told. */
interface Misuse {
  readonly signer: Signer;
  readonly code: ErrorCode;
  readonly origin?: string;
  readonly issuedAt?: number;
  /** What is sent instead of what was signed. */
  readonly altered?: boolean;
}

function misusesOf(known: FeatureAction): Record<string, Misuse> {
  const { owner, stranger } = world.agents;
  const code = "SIGNATURE_INVALID";
  return {
    "in another's name": { signer: inTheNameOf(owner, stranger), code },
    "for another service": { signer: owner, code, origin: "http://elsewhere.example" },
    "two minutes ago": { signer: owner, code: "SIGNATURE_EXPIRED", issuedAt: Date.now() - 120_000 },
    "two minutes ahead": { signer: owner, code: "SIGNATURE_EXPIRED", issuedAt: Date.now() + 120_000 },
    "and altered": { signer: owner, code, altered: true },
    ...(!mayCall("stranger", known) && {
      "by a stranger": { signer: stranger, code: ruleOf(known.action.name).refusal ?? "FORBIDDEN" },
    }),
  };
}

async function sendMisused({ action: { name } }: FeatureAction, misuse: Misuse, about: object) {
  const { method, path, body } = requestOf(name, { ...about });
  const { signer, issuedAt, altered, origin = machine.apiUrl } = misuse;
  const sign = signRequests(signer, machine.service.chainId, () => issuedAt ?? Date.now());
  const headers = await sign({ method, path, body: altered ? `${body} ` : body, origin });
  const response = await fetch(machine.apiUrl + path, {
    method,
    headers: { ...headers, ...(body && { "content-type": "application/json" }) },
    ...(body && { body }),
  });
  const text = await response.text();
  told.push({ who: "stranger", by: `${name} over HTTP`, text });
  return JSON.parse(text).error_code;
}

test("over HTTP a request is refused that is signed in another's name, for another service, late or early, for something else", async () => {
  const wrong: string[] = [];
  const changed = await changedBy(async () => {
    for (const known of all) {
      if (known.action.role === "anonymous") continue;
      for (const [how, misuse] of Object.entries(misusesOf(known))) {
        const code = await sendMisused(known, misuse, aboutOf(known));
        if (code !== misuse.code) wrong.push(`${known.action.name} signed ${how}: ${code}`);
      }
    }
  });
  expect(wrong).toEqual([]);
  // The stranger's own signed requests are remembered.
  expect(changed.filter((table) => table !== "seen_request")).toEqual([]);
});

test("an address or an id is the same one, in whatever case it is written, or is refused", async () => {
  const wrong: string[] = [];
  let compared = 0;
  for (const known of all) {
    const { name, effect } = known.action;
    const about = JSON.stringify(aboutOf(known));
    if (effect !== "read" || !/0x[0-9a-f]{40}/i.test(about)) continue;
    const who = mayCall("owner", known) ? "owner" : "operator";
    const usual = await ask(who, known, aboutOf(known));
    for (const digits of [(hex: string) => hex.toLowerCase(), (hex: string) => hex.toUpperCase()]) {
      const spelt = about.replace(/0x([0-9a-f]{40,})/gi, (_, hex: string) => `0x${digits(hex)}`);
      const outcome = await ask(who, known, JSON.parse(spelt));
      const isSame = isDeepStrictEqual(outcome, usual) || codeOf(outcome) === "VALIDATION_INVALID_INPUT";
      if (!isSame) wrong.push(`${name} with ${spelt}: ${told.at(-1)?.text}`);
      compared += 1;
    }
  }
  expect(wrong).toEqual([]);
  expect(compared).toBeGreaterThan(20);
});

test("what is somebody's own is told to whom it concerns alone", async () => {
  const reads = all.filter(({ action: { effect } }) => effect === "read");
  const asked = reads.flatMap((known) =>
    variantsOf(known).flatMap((input) => callers.map((who) => ask(who, known, input))),
  );
  await Promise.all(asked);
  for (const path of ["/health", "/ready", "/metrics"]) {
    const response = await fetch(machine.apiUrl + path);
    told.push({ who: "nobody", by: path, text: await response.text() });
  }
  const { marks } = world;
  const leaks = told.flatMap(({ who, by, text }) =>
    marks.flatMap(({ of, text: mark, audience }) =>
      text.includes(mark) && !audience.some((one) => one === who) ? [`${by} tells ${who} ${of}`] : [],
    ),
  );
  expect(leaks).toEqual([]);
  expect(told.some(({ by }) => by === "the stream")).toBe(true);
  // Each is told to each of those, or the marks would show nothing.
  const silent = marks.flatMap(({ of, text: mark, audience }) =>
    audience.flatMap((who) =>
      told.some((one) => one.who === who && one.text.includes(mark)) ? [] : [`${who} is not told ${of}`],
    ),
  );
  expect(silent).toEqual([]);
});

/** As it is, with each field that it may have besides, in another unit, and about the caller's own account. */
function variantsOf(known: FeatureAction): object[] {
  const { account, ...own } = aboutOf(known);
  const about = { ...own, ...(account !== undefined && { account }) };
  const { shape } = known.action.input as z.ZodObject;
  const fields = shape as Readonly<Record<string, z.ZodType>>;
  const optional = Object.keys(shape).filter((field) => !(field in about) && field !== "waitMs");
  const more = optional.map((field) => ({ ...about, [field]: sampleOf(fields[field] as z.ZodType, field) }));
  const inAnotherUnit = "unit" in shape ? [{ ...about, unit: "EURC" }] : [];
  return [about, ...more, ...inAnotherUnit, ...(account !== undefined ? [own] : [])];
}

test("what somebody may do is done, also when others tried it first under the same key", async () => {
  const wrong: string[] = [];
  const call = async (who: Who, known: FeatureAction, input: object) => {
    const { name } = known.action;
    const outcome = await ask(who, known, input);
    const forged = ruleOf(name).signed?.forged;
    if (!outcome.ok || (typeof forged === "object" && isLike(outcome.output, forged)))
      wrong.push(`${name} by ${who}: ${JSON.stringify(outcome)}`);
  };
  const reads: Promise<void>[] = [];
  for (const known of all) {
    const { name, effect } = known.action;
    const { about, signed } = ruleOf(name);
    const may = callers.filter((who) => mayCall(who, known));
    expect(may, name).not.toEqual([]);
    // What is signed inside is carried out once; whoever brings it is nobody in particular.
    for (const who of signed ? may.slice(0, 1) : may) {
      if (effect === "read") {
        reads.push(call(who, known, aboutOf(known)));
        continue;
      }
      const input = await about(world);
      for (const other of callers)
        if ("key" in input && !mayCall(other, known)) await ask(other, known, input);
      await call(who, known, input);
    }
  }
  await Promise.all(reads);
  expect(wrong).toEqual([]);
});

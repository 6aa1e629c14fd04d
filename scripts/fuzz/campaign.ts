import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { getAddress, type LocalAccount } from "viem";
import { actions, type FeatureAction } from "#offchain/app/features.ts";
import { isKeyed } from "#offchain/core/action.ts";
import { type Caller, isAtLeast, type Role } from "#offchain/core/call/caller.ts";
import { createRandom, type Random } from "#offchain/demo/random.ts";
import { parameterNames } from "#offchain/doors/http/routes.ts";
import { type MemoryDoor, openMemoryDoor } from "#offchain/doors/memory/door.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { accountOf } from "../bench/parts/agents.ts";
import { requestOf, textOf } from "../bench/parts/reads/request.ts";
import { sampleOf } from "../bench/parts/reads/sample.ts";
import { type Judge, openJudge } from "./answers.ts";
import { booksOf, changedTables, untilQuiet } from "./books.ts";
import { bent, pick, withOptional } from "./hostile.ts";
import type { Machine } from "./machine.ts";

/** Growth of the heap that is called flat: what caches take until they are full, bytes. */
export const heapGrowthMax = 32 * 2 ** 20;

export interface CampaignOptions {
  readonly requests: number;
  readonly seed: number;
  readonly operator: LocalAccount;
  /** Agents with something of their own. */
  readonly agents: readonly LocalAccount[];
  readonly onProgress?: (done: number) => void;
}

/** One request that was answered otherwise than it should be. */
export interface Finding {
  readonly at: number;
  readonly door: "http" | "memory";
  readonly who: string;
  readonly action: string;
  readonly input: string;
  readonly wrong: string;
}

export interface CampaignReport {
  readonly requests: number;
  /** By code; `done` are those that were carried out. */
  readonly answers: Readonly<Record<string, number>>;
  /** Actions of which at least one call was carried out, of all. */
  readonly actionsDone: number;
  readonly actions: number;
  readonly findings: readonly Finding[];
  /** Tables that changed while everything was refused. */
  readonly changedByRefusals: readonly string[];
  /** Those that change by themselves, of which nothing is said. */
  readonly restless: readonly string[];
  /** Of this process after a collection, at two fifths of the requests and at their end, bytes. */
  readonly heap: readonly [number, number];
}

interface Who {
  readonly name: string;
  readonly role: Role;
  readonly account: LocalAccount | null;
  readonly sign: ReturnType<typeof signRequests> | null;
}

interface Asked {
  readonly at: number;
  readonly door: Finding["door"];
  readonly who: Who;
  readonly known: FeatureAction;
  readonly input: unknown;
}

interface Answered {
  /** What the door said: a status, or what stands for one. */
  readonly status: number;
  readonly isDone: boolean;
  readonly body: unknown;
}

const together = 8;
const findingsMax = 50;
const seenMax = 40;
const strangers = 20;
/** What compares all of the books with the chain: asked for seldom, not a thousand times. */
const dear = new Set(["ledger.reconcile"]);

/** Sends hostile requests to every action, through both doors, and looks at every answer. */
export class Campaign {
  readonly #machine: Machine;
  readonly #options: CampaignOptions;
  readonly #door: MemoryDoor;
  readonly #judge: Judge = openJudge();
  readonly #callers: readonly Who[];
  readonly #seen = new Map<string, unknown[]>();
  readonly #answers: Record<string, number> = {};
  readonly #done = new Set<string>();
  readonly #findings: Finding[] = [];
  readonly #all = [...actions.values()];

  constructor(machine: Machine, options: CampaignOptions) {
    this.#machine = machine;
    this.#options = options;
    this.#door = openMemoryDoor(machine.service);
    const who = (name: string, role: Role, account: LocalAccount | null): Who => ({
      name,
      role,
      account,
      sign: account && signRequests(account, machine.service.chainId),
    });
    this.#callers = [
      who("anonymous", "anonymous", null),
      ...options.agents.map((account, at) => who(`agent ${at}`, "agent", account)),
      ...Array.from({ length: strangers }, (_, at) =>
        who(`stranger ${at}`, "agent", accountOf(`stranger ${at}`)),
      ),
      who("operator", "operator", options.operator),
    ];
    this.#see(
      "address",
      options.agents.map(({ address }) => address),
    );
  }

  /** So many are sent before those that are refused for certain. */
  get #mixed(): number {
    return Math.ceil(this.#options.requests * 0.75);
  }

  async run(): Promise<CampaignReport> {
    const { requests } = this.#options;
    const mixed = this.#mixed;
    const early = Math.ceil(requests * 0.4);
    await this.#sendAll(0, early, (at) => this.#anyRequest(at));
    const before = heapUsed();
    await this.#sendAll(early, mixed, (at) => this.#anyRequest(at));
    const after = heapUsed();
    const restless = await untilQuiet(this.#machine.sql);
    const books = await booksOf(this.#machine.sql);
    await this.#sendAll(mixed, requests, (at) => this.#certainRefusal(at));
    const changed = changedTables(books, await booksOf(this.#machine.sql));
    return {
      requests,
      answers: this.#answers,
      actionsDone: this.#done.size,
      actions: this.#all.length,
      findings: this.#findings,
      changedByRefusals: changed.filter((table) => !restless.has(table)),
      restless: [...restless],
      heap: [before, after],
    };
  }

  async #sendAll(from: number, to: number, made: (at: number) => Asked): Promise<void> {
    let next = from;
    const worker = async () => {
      while (next < to) {
        const at = next;
        next += 1;
        if (at % 500 === 0) this.#options.onProgress?.(at);
        await this.#look(made(at));
      }
    };
    await Promise.all(Array.from({ length: together }, worker));
  }

  #anyRequest(at: number): Asked {
    const random = createRandom(this.#options.seed, at);
    const known = this.#anyAction(random);
    const plain = withOptional(known.action.input, sampleOf(known.action.input), random, sampleOf);
    // A third is what a caller may mean; the rest is bent in up to three places.
    const input = bent(this.#withKey(plain, at), random, this.#seen, Math.max(0, random.below(5) - 1));
    return {
      at,
      door: this.#anyDoor(random),
      who: this.#anyCaller(random, known),
      known,
      input,
    };
  }

  #certainRefusal(at: number): Asked {
    for (let attempt = 0; ; attempt += 1) {
      const random = createRandom(this.#options.seed ^ 0x5eed, at * 64 + attempt);
      const known = this.#anyAction(random);
      const input = bent(
        this.#withKey(sampleOf(known.action.input), at),
        random,
        this.#seen,
        1 + random.below(3),
      );
      const asked = { at, door: this.#anyDoor(random), who: this.#anyCaller(random, known), known, input };
      if (known.action.effect !== "read" && isCertainlyRefused(asked)) return asked;
      if (attempt > 200) throw new Error("no request is refused for certain");
    }
  }

  #anyDoor(random: Random): Finding["door"] {
    return random.below(3) === 0 ? "memory" : "http";
  }

  #anyAction(random: Random): FeatureAction {
    const known = pick(random, this.#all);
    return dear.has(known.action.name) && random.below(20) > 0 ? pick(random, this.#all) : known;
  }

  /** Mostly one that may call it. */
  #anyCaller(random: Random, { action }: FeatureAction): Who {
    const fitting = this.#callers.filter(({ role }) => isAtLeast(role, action.role));
    return random.below(4) === 0 ? pick(random, this.#callers) : pick(random, fitting);
  }

  #withKey(input: unknown, at: number): unknown {
    if (typeof input !== "object" || input === null || !("key" in input)) return input;
    return { ...input, key: this.#keyOf(at) };
  }

  #keyOf(at: number): string {
    return `fuzz-${this.#options.seed}-${at}`;
  }

  async #look(asked: Asked): Promise<void> {
    try {
      const answered = await this.#ask(asked);
      const { error_code: code = "unknown" } = (answered.body ?? {}) as { error_code?: string };
      const outcome = answered.isDone ? "done" : code;
      this.#answers[outcome] = (this.#answers[outcome] ?? 0) + 1;
      if (answered.isDone) {
        this.#done.add(asked.known.action.name);
        this.#harvest(answered.body);
      }
      if (answered.status >= 500) this.#found(asked, `answered ${answered.status}: ${short(answered.body)}`);
      const broken = this.#judge(asked.known.action.name, answered.isDone, answered.body);
      if (broken) this.#found(asked, `${broken}: ${short(answered.body)}`);
      if (!answered.isDone && asked.at < this.#mixed) await this.#lookAtKey(asked, outcome);
    } catch (error) {
      this.#found(asked, `no answer: ${String(error)} ${String((error as Error).cause ?? "")}`);
    }
  }

  /** What was refused has not used its key up: with the same key another request is no conflict. */
  async #lookAtKey(asked: Asked, outcome: string): Promise<void> {
    const { known, input, who } = asked;
    if (outcome === "IDEMPOTENCY_CONFLICT" || who.role === "anonymous" || !isKeyed(known.action.input))
      return;
    const { key } = (input ?? {}) as { key?: unknown };
    if (key !== this.#keyOf(asked.at)) return;
    const other = { ...(sampleOf(known.action.input) as object), key };
    const answered = await this.#ask({ ...asked, input: other });
    const { error_code: code } = answered.body as { error_code?: string };
    if (!answered.isDone && code === "IDEMPOTENCY_CONFLICT")
      this.#found(asked, `was refused (${outcome}), and has used its key up`);
  }

  async #ask(asked: Asked): Promise<Answered> {
    return asked.door === "memory" ? this.#askInMemory(asked) : this.#askOverHttp(asked);
  }

  async #askInMemory({ who, known, input }: Asked): Promise<Answered> {
    const caller: Caller =
      who.role === "agent" && who.account
        ? { role: "agent", address: getAddress(who.account.address) }
        : { role: who.role === "operator" ? "operator" : "anonymous" };
    const outcome = await this.#door.call(caller, { action: known.action.name, input: sent(input) });
    if (outcome.ok) return { status: 200, isDone: true, body: sent(outcome.output) };
    const { error_code: code } = outcome.error;
    return {
      status: code === "INTERNAL" || code === "STORE_UNAVAILABLE" ? 500 : 400,
      isDone: false,
      body: sent(outcome.error),
    };
  }

  async #askOverHttp({ who, known, input }: Asked): Promise<Answered> {
    const fields = (
      typeof input === "object" && input !== null && !Array.isArray(input) ? input : { value: input }
    ) as Record<string, unknown>;
    const { method, path, body } = wellFormed(requestOf(known.action.name, fields));
    const signed = await who.sign?.({ method, path, body, origin: this.#machine.apiUrl });
    const response = await fetch(this.#machine.apiUrl + path, {
      method,
      headers: { ...signed, ...(body !== "" && { "content-type": "application/json" }) },
      ...(body !== "" && { body }),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    return { status: response.status, isDone: response.ok, body: JSON.parse(text) };
  }

  /** Keeps what names something, for requests that come. */
  #harvest(value: unknown, field = ""): void {
    if (Array.isArray(value)) for (const item of value.slice(0, 3)) this.#harvest(item, field);
    else if (typeof value === "object" && value !== null)
      for (const [name, part] of Object.entries(value)) this.#harvest(part, name);
    else if (typeof value === "string" && value !== "") this.#see(field, [value]);
  }

  #see(field: string, values: readonly unknown[]): void {
    const known = this.#seen.get(field) ?? [];
    for (const value of values) if (!known.includes(value)) known.push(value);
    this.#seen.set(field, known.slice(-seenMax));
  }

  #found({ at, door, who, known, input }: Asked, wrong: string): void {
    if (this.#findings.length >= findingsMax) return;
    this.#findings.push({ at, door, who: who.name, action: known.action.name, input: short(input), wrong });
  }
}

/** By its role, or by an input that its schema refuses: nothing of it may be carried out. */
function isCertainlyRefused({ door, who, known: { action }, input }: Asked): boolean {
  if (!isAtLeast(who.role, action.role)) return true;
  const arrives = { ...(sent(input) as object) } as Record<string, unknown>;
  // In a path everything is text.
  if (door === "http")
    for (const name of parameterNames(action.resource)) arrives[name] = textOf(arrives[name]);
  return !action.input.safeParse(arrives).success;
}

/** As it arrives on the other side of a wire. */
const sent = (value: unknown): unknown =>
  value === undefined ? undefined : JSON.parse(JSON.stringify(value));

const short = (value: unknown): string => (JSON.stringify(value) ?? "undefined").slice(0, 600);

/** Half surrogates do not stand in an address; the query and the path are cut where servers would not take them. */
function wellFormed<Request extends { path: string }>(request: Request): Request {
  return { ...request, path: request.path.slice(0, 12_000).replace(/%[0-9A-F]?$/, "") };
}

/** After a collection, bytes. */
function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

import { describe, expect, test } from "vitest";
import { Line } from "#offchain/platform/chain/sender/line.ts";
import type { QueuedTransaction } from "#offchain/platform/chain/sender/transactionStore.ts";

type Outcome = "sent" | "later" | "dropped" | Error;

/** A chain of which only the next nonce is known, and a provider that judges each call as it is told to. */
class World {
  nextNonce = 0;
  now = 0;
  readonly judged: { id: bigint; mayDepend: boolean }[] = [];
  readonly open: QueuedTransaction[] = [];
  readonly line: Line;
  readonly #mined = new Set<bigint>();
  #nonces = 0;
  readonly #outcomes: Map<bigint, Outcome[]> = new Map();

  constructor(maxInFlight: number) {
    this.line = new Line(
      {
        track: async (transaction) => {
          if (this.#mined.has(transaction.id)) this.open.splice(this.open.indexOf(transaction), 1);
          return false;
        },
        send: async (transaction, mayDepend) => {
          this.judged.push({ id: transaction.id, mayDepend });
          const outcome = this.#outcomes.get(transaction.id)?.shift() ?? "sent";
          if (outcome instanceof Error) throw outcome;
          if (outcome === "later") expect(mayDepend).toBe(true);
          if (outcome === "sent") Object.assign(transaction, { state: "sent", nonce: this.#nonces++ });
          if (outcome === "dropped") this.open.splice(this.open.indexOf(transaction), 1);
          return outcome;
        },
      },
      { maxInFlight, maxJudgedAtOnce: 8, standBackMs: 1_000 },
      { now: () => this.now },
    );
  }

  add(id: number, isRelayed: boolean, ...outcomes: Outcome[]): void {
    this.#add(id, { isRelayed, isIndependent: false }, outcomes);
  }

  addIndependent(id: number, ...outcomes: Outcome[]): void {
    this.#add(id, { isRelayed: false, isIndependent: true }, outcomes);
  }

  #add(id: number, kind: Pick<QueuedTransaction, "isRelayed" | "isIndependent">, outcomes: Outcome[]): void {
    this.open.push({ id: BigInt(id), ...kind, state: "prepared" } as QueuedTransaction);
    this.#outcomes.set(BigInt(id), outcomes);
  }

  mineAll(): void {
    for (const transaction of this.open.filter(({ state }) => state === "sent")) {
      this.open.splice(this.open.indexOf(transaction), 1);
      this.nextNonce += 1;
    }
  }

  /** A block, of which the sender learns when it looks. */
  mineUnseen(): void {
    for (const { id, state } of this.open) if (state === "sent") this.#mined.add(id);
    this.nextNonce = this.#nonces;
  }

  /** As many looks as pay. @returns who was judged */
  async pass(): Promise<number[]> {
    const judged: typeof this.judged = [];
    for (let again = true; again; ) {
      again = await this.look();
      judged.push(...this.judged);
    }
    this.judged.splice(0, this.judged.length, ...judged);
    return judged.map(({ id }) => Number(id));
  }

  /** One look at what the store gives, in its order. @returns whether another one pays */
  async look(): Promise<boolean> {
    const rank = ({ state, isRelayed, isIndependent }: QueuedTransaction) =>
      state === "sent" ? 0 : isRelayed ? 3 : isIndependent ? 2 : 1;
    const open = this.open.toSorted((one, other) => rank(one) - rank(other) || Number(one.id - other.id));
    this.judged.length = 0;
    return this.line.advance(open, { head: 0n, nextNonce: this.nextNonce }, () => false);
  }
}

describe("a caller's call that cannot be judged", () => {
  test("holds back nobody, and is judged for good once what was before it is mined", async () => {
    const world = new World(16);
    world.add(1, true);
    world.add(2, true, "later", "dropped");
    world.add(3, true);
    expect(await world.pass()).toEqual([1, 2, 3]);
    expect(await world.pass(), "not asked again before anything is mined").toEqual([]);
    world.mineAll();
    expect(await world.pass()).toEqual([2]);
    expect(world.judged).toEqual([{ id: 2n, mayDepend: false }]);
    expect(world.open).toEqual([]);
  });

  test("is judged for good though others are in flight by then", async () => {
    const world = new World(16);
    world.add(1, true);
    world.add(2, true, "later", "dropped");
    await world.pass();
    world.mineAll();
    world.add(3, false);
    expect(await world.pass()).toEqual([3, 2]);
    expect(world.judged.at(-1)).toEqual({ id: 2n, mayDepend: false });
  });

  test("is judged also when the look that lets it stand back finds the last of what was before it mined", async () => {
    const world = new World(16);
    world.add(1, true);
    await world.pass();
    world.add(2, true, "later", "dropped");
    world.mineUnseen();
    await world.pass();
    await world.pass();
    expect(world.open).toEqual([]);
  });

  test("stands back for a while when the provider does not answer, and the others go on", async () => {
    const world = new World(16);
    world.add(1, true, new Error("no answer"));
    world.add(2, true);
    expect(await world.pass()).toEqual([1, 2]);
    world.now = 999;
    expect(await world.pass()).toEqual([]);
    world.now = 1_000;
    expect(await world.pass()).toEqual([1]);
  });
});

describe("the service's own", () => {
  test("go before callers', however many wait", async () => {
    const world = new World(4);
    for (let id = 1; id <= 10; id += 1) world.add(id, true);
    world.add(11, false);
    world.add(12, false);
    expect(await world.pass()).toEqual([11, 12, 1, 2]);
  });

  test("find a place when callers' are in flight and not mined", async () => {
    const world = new World(16);
    for (let id = 1; id <= 40; id += 1) world.add(id, true);
    expect(await world.pass()).toHaveLength(12);
    expect(await world.pass()).toEqual([]);
    for (let id = 41; id <= 44; id += 1) world.add(id, false);
    expect(await world.pass()).toEqual([41, 42, 43, 44]);
  });

  test("wait for few of callers' calls to be judged, however many there are that will not work", async () => {
    const world = new World(16);
    for (let id = 1; id <= 300; id += 1) world.add(id, true, "dropped");
    expect(await world.look()).toBe(true);
    expect(world.judged).toHaveLength(8);
    world.add(301, false);
    expect(await world.look()).toBe(true);
    expect(world.judged.map(({ id }) => id)).toEqual([
      301n,
      ...Array.from({ length: 8 }, (_, at) => BigInt(at + 9)),
    ]);
    expect(await world.pass()).toHaveLength(284);
    expect(world.open.map(({ id }) => id)).toEqual([301n]);
  });

  test("keep their order: one that cannot be judged yet holds back those after it, and no caller", async () => {
    const world = new World(16);
    world.add(1, false);
    world.add(2, false, "later");
    world.add(3, false);
    world.add(4, true);
    expect(await world.pass()).toEqual([1, 2, 4]);
    world.mineAll();
    expect(await world.pass()).toEqual([2, 3]);
  });

  test("wait for a provider that does not answer", async () => {
    const world = new World(16);
    world.add(1, false, new Error("no answer"));
    await expect(world.pass()).rejects.toThrow("no answer");
    expect(await world.pass()).toEqual([1]);
  });
});

describe("what is independent", () => {
  test("goes after the service's other transactions and before callers', however many there are", async () => {
    const world = new World(16);
    world.add(1, true);
    for (let id = 2; id <= 7_200; id += 1) world.addIndependent(id);
    world.add(8_000, false);
    expect(await world.pass()).toEqual([8_000, ...Array.from({ length: 12 }, (_, at) => at + 2)]);
    world.add(8_001, false);
    expect(await world.pass(), "and leaves a place free").toEqual([8_001]);
  });

  test("holds back nothing though hundreds of calls cannot be judged, nor does a provider without an answer", async () => {
    const world = new World(16);
    world.add(1, true);
    await world.pass();
    for (let id = 2; id <= 450; id += 1) world.addIndependent(id, "later");
    world.addIndependent(451, new Error("no answer"));
    world.add(452, false);
    world.add(453, true);
    const judged = await world.pass();
    expect([judged[0], judged.at(-1)]).toEqual([452, 453]);
    expect(await world.pass(), "not asked again before anything is mined").toEqual([]);
  });
});

test("a single place serves callers too", async () => {
  const world = new World(1);
  world.add(1, true);
  world.add(2, true);
  expect(await world.pass()).toEqual([1]);
  world.mineAll();
  expect(await world.pass()).toEqual([2]);
});

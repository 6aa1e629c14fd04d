import { randomBytes } from "node:crypto";
import { keccak256, toHex } from "viem";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { obligationSum } from "#offchain/features/solvency/rules/proof.ts";
import { plantTree, siblingsOf } from "#offchain/features/solvency/rules/tree.ts";
import {
  findLeaf,
  findSnapshot,
  forgetTrees,
  listSnapshots,
  noteConfirmed,
  saveSnapshot,
  type TokenSnapshot,
} from "#offchain/features/solvency/store.ts";
import { bytesOf, hexOf } from "#offchain/platform/database/bytes.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../support/database.ts";
import { drained } from "../../support/drained.ts";

const keccak = (bytes: Uint8Array) => keccak256(bytes, "bytes");
const chainId = 31_337;
const token = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const block = (number: number) => keccak256(toHex(`block ${number}`));
const parts = { deposits: 1n, promised: 2n, claimed: 3n, credits: 4n, balance: 10n ** 37n };

let server: TestServer;
let database: TestDatabase;
let runId: bigint;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.stop());

beforeEach(async () => {
  database = await server.create();
  const [chainRun] = await database.sql<{ id: bigint }[]>`
    INSERT INTO chain_run (chain_id, genesis_hash, from_block, indexed_to, filter_hash, started_at)
    VALUES (31337, ${bytesOf(block(0))}, 0, 100, ${bytesOf(block(0))}, 0) RETURNING id`;
  runId = chainRun?.id ?? 0n;
  return () => database.close();
});

const signed = { by: token, signature: `0x${"1b".repeat(65)}` } as const;

/** A token's snapshot with so many owners, each owed the same. */
function grown(owners: number): TokenSnapshot {
  const leaves = Array.from({ length: owners }, (_, index) => ({
    owner: `agent:${index}`,
    salt: randomBytes(32),
    parts,
  }));
  const { levels, positions } = drained(plantTree(keccak, leaves, () => randomBytes(32)));
  const sum = obligationSum(parts) * BigInt(owners);
  return {
    unit: "USDC",
    token,
    parts,
    obligations: sum,
    holdings: sum,
    holders: [{ name: "Reserve", address: token, amount: sum }],
    levels,
    leaves: leaves.map((leaf) => ({ ...leaf, position: positions.get(leaf.owner) ?? -1 })),
  };
}

const save = (takenAt: number, tokens: TokenSnapshot[] = [grown(3)], on = { chainId, runId }) =>
  saveSnapshot(
    database.sql,
    { ...on, blockNumber: BigInt(takenAt), blockHash: block(takenAt), takenAt },
    tokens,
    async ({ snapshotId }, _token, previous) => ({
      root: hexOf(keccak(bytesOf(`${previous}${toHex(snapshotId, { size: 32 }).slice(2)}`))),
      signed,
    }),
  );
const newest = async (finalTo = 0n) => {
  const stored = await findSnapshot(database.sql, chainId, finalTo);
  const [report] = stored?.tokens ?? [];
  if (!stored || !report) throw new Error("no snapshot");
  return { stored, report };
};

describe("a snapshot", () => {
  test("comes back as it was stored, each leaf with the neighbours of its way", async () => {
    const snapshot = grown(5);
    await save(10, [snapshot]);
    const { stored, report } = await newest();
    const { levels, leaves, ...figures } = snapshot;
    expect(report).toMatchObject({
      ...figures,
      depth: 3,
      signed,
      top: hexOf(levels.at(-1)?.[0]?.hash ?? randomBytes(1)),
    });
    for (const { owner, salt, position } of leaves) {
      const leaf = await findLeaf(database.sql, stored.snapshotId, report, owner);
      expect(leaf).toEqual({
        salt: hexOf(salt),
        parts,
        position,
        path: siblingsOf(position, 3).map(({ level, position: at }) => {
          const node = levels[level]?.[at];
          return { hash: hexOf(node?.hash ?? randomBytes(1)), sum: node?.sum };
        }),
      });
    }
    expect(await findLeaf(database.sql, stored.snapshotId, report, "agent:nobody")).toBeNull();
  });

  test("of one owner or of nobody has a tree too", async () => {
    await save(10, [grown(1)]);
    const one = await newest();
    expect(await findLeaf(database.sql, one.stored.snapshotId, one.report, "agent:0")).toMatchObject({
      path: [],
    });
    await save(11, [grown(0)]);
    const none = await newest();
    expect(await findLeaf(database.sql, none.stored.snapshotId, none.report, "agent:0")).toBeNull();
  });

  test("continues the one before it, also when several instances take one at once", async () => {
    await Promise.all([10, 11, 12, 13, 14, 15].map((takenAt) => save(takenAt)));
    const all = await listSnapshots(database.sql, chainId, 0n, undefined, 50);
    expect(all).toHaveLength(6);
    for (const [at, { tokens }] of all.entries())
      expect(tokens[0]?.previous).toBe(all[at + 1]?.tokens[0]?.root ?? `0x${"00".repeat(32)}`);
  });

  test("continues the roots of its own chain, and is listed and forgotten with them", async () => {
    const [other] = await database.sql<{ id: bigint }[]>`
      INSERT INTO chain_run (chain_id, genesis_hash, from_block, indexed_to, filter_hash, started_at)
      VALUES (31338, ${bytesOf(block(1))}, 0, 100, ${bytesOf(block(0))}, 0) RETURNING id`;
    await save(10);
    await save(11, [grown(2)], { chainId: 31_338, runId: other?.id ?? 0n });
    await save(12);
    const [here, there] = await Promise.all(
      [chainId, 31_338].map((id) => listSnapshots(database.sql, id, 0n, undefined, 50)),
    );
    expect(here?.map(({ takenAt }) => takenAt)).toEqual([12, 10]);
    expect(here?.[0]?.tokens[0]?.previous).toBe(here?.[1]?.tokens[0]?.root);
    expect(there?.map(({ takenAt, tokens }) => [takenAt, tokens[0]?.previous])).toEqual([
      [11, `0x${"00".repeat(32)}`],
    ]);
    expect(await findSnapshot(database.sql, chainId, 0n, there?.[0]?.snapshotId)).toBeNull();
    // The newest of each chain keeps its tree.
    expect(await forgetTrees(database.sql, 31_338, 1_000)).toBe(0);
    expect(await forgetTrees(database.sql, chainId, 1_000)).toBeGreaterThan(0);
  });

  test("that would continue a root that has been continued is refused by the database", async () => {
    await save(10);
    await save(11);
    const [first] = await listSnapshots(database.sql, chainId, 0n, 2n, 1);
    await expect(
      database.sql`
        INSERT INTO solvency_report (snapshot_id, chain_id, unit, token, parts, obligations, holdings, holders, depth, root, previous)
        SELECT snapshot_id, chain_id, 'AVT', token, parts, obligations, holdings, holders, depth, root, previous FROM solvency_report
        WHERE snapshot_id = ${first?.snapshotId ?? 0n}`,
    ).resolves.toBeDefined();
    await expect(
      database.sql`
        INSERT INTO solvency_report (snapshot_id, chain_id, unit, token, parts, obligations, holdings, holders, depth, root, previous)
        SELECT snapshot_id + 1, chain_id, 'AVT', token, parts, obligations, holdings, holders, depth, root, previous FROM solvency_report
        WHERE snapshot_id = ${first?.snapshotId ?? 0n} AND unit = 'AVT'`,
    ).rejects.toMatchObject({ code: "23505" });
  });
});

describe("trees that are old", () => {
  test("are forgotten, but not their sums and roots, and never the newest", async () => {
    for (const takenAt of [10, 20, 30]) await save(takenAt);
    expect(await forgetTrees(database.sql, chainId, 25)).toBeGreaterThan(0);
    const all = await listSnapshots(database.sql, chainId, 0n, undefined, 50);
    expect(all.map(({ takenAt, tokens }) => [takenAt, tokens.length])).toEqual([
      [30, 1],
      [20, 1],
      [10, 1],
    ]);
    const leaves = await Promise.all(
      all.map(
        ({ snapshotId, tokens: [report] }) => report && findLeaf(database.sql, snapshotId, report, "agent:0"),
      ),
    );
    expect(leaves).toEqual([expect.objectContaining({ parts }), "forgotten", "forgotten"]);
    expect(await forgetTrees(database.sql, chainId, 1_000)).toBe(0);
  });
});

describe("a snapshot's block", () => {
  const index = (number: number, hash: `0x${string}`, sequence: number) => database.sql`
    INSERT INTO chain_block (run_id, sequence, number, hash, parent_hash, block_at, event_count)
    VALUES (${runId}, ${sequence}, ${number}, ${bytesOf(hash)}, ${bytesOf(hash)}, 0, 0)`;

  test("is pending until it is final and the chain was asked; then it stays what the chain said", async () => {
    await save(10);
    expect((await newest(9n)).stored).toMatchObject({ status: "pending", isUnasked: false });
    const due = (await newest(10n)).stored;
    expect(due).toMatchObject({ status: "pending", isUnasked: true });
    await noteConfirmed(database.sql, due.snapshotId, true);
    await noteConfirmed(database.sql, due.snapshotId, false);
    expect((await newest(10n)).stored).toMatchObject({ status: "confirmed", isUnasked: false });
  });

  test("is retracted while the journal has another one in its place", async () => {
    await save(10);
    await index(10, block(10), 1);
    expect((await newest()).stored.status).toBe("pending");
    await database.sql`UPDATE chain_block SET retracted_as = 2`;
    await index(10, block(99), 3);
    expect((await newest()).stored).toMatchObject({ status: "retracted", isUnasked: false });
  });

  test("is retracted while the chain does not reach it, and when its chain is gone", async () => {
    await save(10);
    await database.sql`UPDATE chain_run SET indexed_to = 9`;
    expect((await newest()).stored.status).toBe("retracted");
    await database.sql`UPDATE chain_run SET indexed_to = 100`;
    expect((await newest()).stored.status).toBe("pending");
    await database.sql`UPDATE chain_run SET ended_at = 1`;
    expect((await newest(100n)).stored).toMatchObject({ status: "retracted", isUnasked: false });
    await database.sql`UPDATE solvency_snapshot SET is_confirmed = true`;
    expect((await newest(100n)).stored.status).toBe("retracted");
  });
});

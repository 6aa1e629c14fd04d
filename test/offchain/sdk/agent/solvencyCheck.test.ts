import { createHash } from "node:crypto";
import { keccak256, numberToHex, toHex } from "viem";
import { describe, expect, test } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import { formatAmount } from "#offchain/core/unit.ts";
import { obligationKinds, rootOf, type SolvencyProof } from "#offchain/features/solvency/rules/proof.ts";
import { plantTree, siblingsOf } from "#offchain/features/solvency/rules/tree.ts";
import { openSolvencySigner } from "#offchain/features/solvency/snapshot/signer.ts";
import { privateKeyToSigner } from "#offchain/platform/chain/signatures/signer.ts";
import { checkSolvency, type SolvencyQuestion } from "#offchain/sdk/agent/solvencyCheck.ts";
import type { Client } from "#offchain/sdk/client.ts";
import { batchSettlementAddress } from "#offchain/sdk/paying/channel.ts";
import { verifySolvencySignature } from "#offchain/sdk/solvency.ts";
import { drained } from "../../support/drained.ts";

type Report = Awaited<ReturnType<Client["solvency"]["report"]>>;
type Service = Pick<Client, "solvency">;

const keccak = (bytes: Uint8Array) => keccak256(bytes, "bytes");
const saltOf = (seed: string) => new Uint8Array(createHash("sha256").update(seed).digest());
const alice = numberToHex(1, { size: 20 });
const bob = numberToHex(2, { size: 20 });
const usdc = (amount: bigint) => ({ amount: formatAmount(amount, "USDC"), unit: "USDC" as const });
const nothingOwed = { deposits: 0n, promised: 0n, claimed: 0n, credits: 0n, balance: 0n };
const zero = `0x${"00".repeat(32)}` as const;

function signerOf(seed: string) {
  return openSolvencySigner({
    chainId: 31337,
    signer: privateKeyToSigner(keccak256(toHex(seed))),
    settlement: batchSettlementAddress,
  });
}
const operator = signerOf("operator");

/** The report as the signer tells it. */
async function signedBy(signer: typeof operator, report: Report): Promise<Report> {
  const items = report.items.map(async (line) => {
    const { token, previous, root } = line;
    const signature = await signer.sign({ token, previous, root, snapshotId: BigInt(report.snapshotId) });
    return { ...line, signed: { by: signer.operator, signature } };
  });
  return { ...report, items: await Promise.all(items) };
}

interface Snapshot {
  report: Report;
  proofOf(owner: string): SolvencyProof | null;
}

/** One snapshot of a service that owes each owner so much on the ledger. */
function snapshot(
  id: number,
  previous: `0x${string}`,
  owes: Record<string, bigint>,
  holdings: bigint,
): Snapshot {
  const owners = Object.entries(owes).map(([owner, balance]) => ({
    owner,
    salt: saltOf(`${id} ${owner}`),
    parts: { ...nothingOwed, balance },
  }));
  const { levels, positions } = drained(plantTree(keccak, owners, () => saltOf(`padding ${id}`)));
  const top = levels.at(-1)?.[0];
  if (!top) throw new Error("no root");
  const terms = {
    chainId: 31337,
    unit: "USDC" as const,
    token: alice,
    snapshotId: String(id),
    blockNumber: String(100 + id),
    blockHash: keccak256(toHex(`block ${id}`)),
    takenAt: 1_000_000 + id,
    previous,
  };
  const depth = levels.length - 1;
  const root = toHex(rootOf(keccak, terms, top, depth));
  const { unit, token, previous: _, ...facts } = terms;
  const nothing = Object.fromEntries(obligationKinds.map((kind) => [kind, usdc(0n)]));
  const line = {
    unit,
    token,
    obligations: usdc(top.sum),
    holdings: usdc(holdings),
    surplus: usdc(holdings - top.sum),
    isSolvent: holdings >= top.sum,
    parts: { ...nothing, balance: usdc(top.sum) } as Report["items"][number]["parts"],
    holders: [],
    top: toHex(top.hash),
    root,
    previous,
    signed: null,
    depth,
  };
  return {
    report: { ...facts, status: "pending", isSolvent: line.isSolvent, items: [line] },
    proofOf(owner) {
      const leaf = owners.find((each) => each.owner === owner);
      const position = positions.get(owner);
      if (!leaf || position === undefined) return null;
      const path = siblingsOf(position, depth).map(({ level, position: at }) => {
        const node = levels[level]?.[at];
        if (!node) throw new Error("no node");
        return { hash: toHex(node.hash), sum: node.sum.toString() };
      });
      const parts = Object.fromEntries(obligationKinds.map((kind) => [kind, leaf.parts[kind].toString()]));
      return {
        ...terms,
        owner,
        salt: toHex(leaf.salt),
        parts: parts as SolvencyProof["parts"],
        position,
        path,
        obligations: top.sum.toString(),
        root,
      };
    },
  };
}

const rootOfLine = ({ report }: Snapshot) => report.items[0]?.root as `0x${string}`;

/** Answers as a service does that tells these snapshots, oldest first, to this owner. */
function serviceOf(snapshots: readonly Snapshot[], owner: string, signer = operator): Service {
  const newest = snapshots.at(-1);
  if (!newest) throw new Error("no snapshot");
  return {
    solvency: {
      report: () => signedBy(signer, newest.report),
      list: async ({ cursor = "0", limit = 50 }: { cursor?: string; limit?: number }) => ({
        items: snapshots
          .map(({ report }) => report)
          .filter(({ snapshotId }) => BigInt(snapshotId) < BigInt(cursor))
          .toReversed()
          .slice(0, limit),
        next: null,
      }),
      async proof() {
        const proof = newest.proofOf(owner);
        if (!proof) throw new BursarError("OBLIGATION_UNKNOWN", "nothing was owed");
        return proof;
      },
    },
  } as unknown as Service;
}

const ask = (
  snapshots: readonly Snapshot[],
  question: Partial<SolvencyQuestion> = {},
  service = serviceOf(snapshots, alice),
) =>
  checkSolvency(
    { anyone: service, owner: service },
    { owner: alice, unit: "USDC", operator: operator.operator, now: 1_000_100, ...question },
  );

const first = snapshot(1, zero, { [alice]: 5n, [bob]: 7n }, 12n);
const second = snapshot(2, rootOfLine(first), { [alice]: 6n, [bob]: 7n }, 13n);
const third = snapshot(3, rootOfLine(second), { [alice]: 6n, [bob]: 9n }, 15n);

describe("an owner's check", () => {
  test("finds nothing wrong where nothing is, and says what counts", async () => {
    const check = await ask([first, second, third], { least: "0.000006" });
    expect(check).toMatchObject({ problems: [], counted: "0.000006", obligations: "0.000015" });
    const known = (await ask([first])).known;
    expect((await ask([first, second, third], { known })).problems).toEqual([]);
    expect((await ask([first], { known })).problems, "nothing new").toEqual([]);
  });

  test("finds that less is held than owed, whatever the report calls itself", async () => {
    const short = snapshot(1, zero, { [alice]: 5n }, 4n);
    const line = short.report.items[0];
    if (line) line.isSolvent = true;
    expect((await ask([short])).problems).toEqual(["short"]);
  });

  test("finds that it is left out, or counted for less than it knows of", async () => {
    const without = snapshot(1, zero, { [bob]: 7n }, 7n);
    expect((await ask([without], { least: "0.000001" })).problems).toEqual(["missing"]);
    expect((await ask([without])).problems).toEqual([]);
    expect((await ask([first], { least: "0.000006" })).problems).toEqual(["less"]);
  });

  test("finds a root that is not that of the sum", async () => {
    const told = structuredClone(first.report);
    const line = told.items[0];
    if (!line) throw new Error("no line");
    line.obligations = line.parts.balance = usdc(11n);
    expect((await ask([{ ...first, report: told }])).problems).toEqual(["root"]);
  });

  test("finds a root that the operator has not signed, or not this one", async () => {
    const byAnother = serviceOf([first], alice, signerOf("another"));
    expect((await ask([first], {}, byAnother)).problems).toEqual(["unsigned"]);
    const service = serviceOf([first], alice);
    for (const report of [first.report, { ...(await service.solvency.report()), snapshotId: "2" }]) {
      const telling = { solvency: { ...service.solvency, report: async () => report } } as Service;
      expect((await ask([first], {}, telling)).problems).toContain("unsigned");
    }
  });

  test("finds a leaf that leads to another root", async () => {
    const other = snapshot(1, zero, { [alice]: 5n, [bob]: 8n }, 12n);
    expect((await ask([{ ...first, proofOf: other.proofOf }])).problems).toEqual(["proof"]);
  });

  test("finds that the roots do not continue the one that it knew", async () => {
    const { known } = await ask([first, second]);
    const otherSecond = snapshot(2, rootOfLine(first), { [alice]: 6n }, 13n);
    const otherThird = snapshot(3, rootOfLine(otherSecond), { [alice]: 6n, [bob]: 9n }, 15n);
    expect((await ask([first, otherSecond, otherThird], { known })).problems).toEqual(["forked"]);
    expect((await ask([first, third], { known })).problems, "one is hidden").toEqual(["forked"]);
    expect((await ask([first, otherSecond, third], { known })).problems, "one is exchanged").toEqual([
      "forked",
    ]);
    expect((await ask([first], { known })).problems, "it is taken back").toEqual(["forked"]);
    // Two signed roots that continue the same one: evidence for anybody.
    const other = (await ask([first, otherSecond])).known;
    expect(known.previous).toBe(other.previous);
    expect(known.root).not.toBe(other.root);
    for (const { snapshotId, root = "", previous = "", signed = null } of [known, other]) {
      const line = { token: alice, root, previous, signed };
      expect(await verifySolvencySignature({ snapshotId, chainId: 31337 }, line, operator.operator)).toBe(
        true,
      );
    }
  });

  test("finds that nobody has looked for long", async () => {
    expect((await ask([first], { now: 1_000_002 + 600_000 })).problems).toEqual(["stale"]);
  });

  test("does not take a snapshot from the future for a new one until then", async () => {
    expect((await ask([first], { now: 1_000_000 - 600_000 })).problems).toEqual(["stale"]);
  });
});

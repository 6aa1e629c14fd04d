import { runsOf } from "#offchain/platform/chain/runStore.ts";
import { addressOf, bytesOf, hexOf, list } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { ProposalMessage } from "../messages.ts";
import type { Membership, stateOf } from "../rules.ts";

/** A proposal as the contract's events tell it, with the signatures that were handed in here. */
export interface StoredProposal {
  id: bigint;
  runId: bigint;
  treasury: `0x${string}`;
  proposalId: `0x${string}`;
  proposer: `0x${string}`;
  nonce: bigint;
  /** Epoch seconds, as the contract has it: any `uint256`. */
  deadlineS: bigint;
  reference: `0x${string}`;
  calls: ProposalMessage["calls"];
  state: "open" | "executed" | "cancelled" | "lost";
  openedAt: number;
  closedAt: number | null;
  transactionHash: `0x${string}` | null;
  approvals: { owner: `0x${string}`; signature: `0x${string}` | null; approvedAt: number }[];
}

interface Row {
  id: bigint;
  run_id: bigint;
  treasury: Uint8Array;
  proposal_id: Uint8Array;
  proposer: Uint8Array;
  nonce: bigint;
  deadline_s: bigint;
  reference: Uint8Array;
  calls: { to: `0x${string}`; value: string; data: `0x${string}` }[];
  state: StoredProposal["state"];
  opened_at: bigint;
  closed_at: bigint | null;
  closed_transaction: Uint8Array | null;
}

interface ApprovalRow {
  run_id: bigint;
  proposal_id: Uint8Array;
  owner: Uint8Array;
  signature: Uint8Array | null;
  approved_at: bigint;
}

export async function saveProposal(
  tx: Tx,
  proposal: Pick<
    StoredProposal,
    | "runId"
    | "treasury"
    | "proposalId"
    | "proposer"
    | "nonce"
    | "deadlineS"
    | "reference"
    | "calls"
    | "openedAt"
  >,
): Promise<void> {
  const calls = proposal.calls.map(({ to, value, data }) => ({ to, value: value.toString(), data }));
  await tx`
    INSERT INTO proposal (run_id, treasury, proposal_id, proposer, nonce, deadline_s, reference, calls, opened_at)
    VALUES (${proposal.runId}, ${bytesOf(proposal.treasury)}, ${bytesOf(proposal.proposalId)}, ${bytesOf(proposal.proposer)}, ${proposal.nonce.toString()},
            ${proposal.deadlineS.toString()}::numeric, ${bytesOf(proposal.reference)}, ${tx.json(calls)}, ${proposal.openedAt})
    ON CONFLICT (run_id, proposal_id) DO NOTHING`;
}

export async function deleteProposal(tx: Tx, runId: bigint, proposalId: string): Promise<void> {
  await tx`DELETE FROM proposal WHERE run_id = ${runId} AND proposal_id = ${bytesOf(proposalId)}`;
}

/** Executed or cancelled by the event of `transaction`; `null` opens it again after a reorg. */
export async function closeProposals(
  tx: Tx,
  runId: bigint,
  which: { proposalId: string } | { treasury: string; nonce: bigint },
  closed: { state: "executed" | "cancelled"; at: number; transaction: string } | null,
): Promise<void> {
  const matches =
    "proposalId" in which
      ? tx`proposal_id = ${bytesOf(which.proposalId)}`
      : tx`treasury = ${bytesOf(which.treasury)} AND nonce = ${which.nonce.toString()}::numeric AND state IN ('open', 'cancelled')`;
  await tx`
    UPDATE proposal SET state = ${closed?.state ?? "open"}, closed_at = ${closed?.at ?? null},
      closed_transaction = ${closed ? bytesOf(closed.transaction) : null}
    WHERE run_id = ${runId} AND ${matches}`;
}

/** An owner's approval by a transaction: it takes the place of a signature. */
export async function saveApproval(
  tx: Tx,
  approval: { runId: bigint; proposalId: string; owner: string; at: number },
): Promise<void> {
  await tx`
    INSERT INTO proposal_approval (run_id, proposal_id, owner, signature, approved_at)
    VALUES (${approval.runId}, ${bytesOf(approval.proposalId)}, ${bytesOf(approval.owner)}, NULL, ${approval.at})
    ON CONFLICT (run_id, proposal_id, owner)
      DO UPDATE SET signature = NULL, approved_at = excluded.approved_at
      WHERE proposal_approval.signature IS NOT NULL`;
}

/** Keeps an owner's signature in the place of `kept`; if another one has taken that meanwhile, nothing changes. */
export async function saveSignature(
  sql: Sql,
  signed: { runId: bigint; proposalId: string; owner: string; signature: string; at: number },
  kept: string | null,
): Promise<void> {
  await sql`
    INSERT INTO proposal_approval (run_id, proposal_id, owner, signature, approved_at)
    VALUES (${signed.runId}, ${bytesOf(signed.proposalId)}, ${bytesOf(signed.owner)}, ${bytesOf(signed.signature)}, ${signed.at})
    ON CONFLICT (run_id, proposal_id, owner)
      DO UPDATE SET signature = excluded.signature, approved_at = excluded.approved_at
      WHERE proposal_approval.signature = ${kept === null ? null : bytesOf(kept)}`;
}

export async function deleteApproval(
  tx: Tx,
  runId: bigint,
  proposalId: string,
  owner: string,
): Promise<void> {
  await tx`
    DELETE FROM proposal_approval
    WHERE run_id = ${runId} AND proposal_id = ${bytesOf(proposalId)} AND owner = ${bytesOf(owner)} AND signature IS NULL`;
}

export async function findProposal(
  sql: Sql,
  runId: bigint,
  proposalId: string,
): Promise<StoredProposal | null> {
  const rows = await sql<Row[]>`
    SELECT * FROM proposal WHERE run_id = ${runId} AND proposal_id = ${bytesOf(proposalId)}`;
  return (await withApprovals(sql, rows))[0] ?? null;
}

/** The proposal that was opened in a Treasury under this nonce. */
export async function proposalOfNonce(
  sql: Sql,
  runId: bigint,
  treasury: string,
  nonce: bigint,
): Promise<`0x${string}` | null> {
  const [row] = await sql<{ proposal_id: Uint8Array }[]>`
    SELECT proposal_id FROM proposal WHERE run_id = ${runId} AND treasury = ${bytesOf(treasury)} AND nonce = ${nonce.toString()}::numeric`;
  return row ? hexOf(row.proposal_id) : null;
}

/** A state, and what proposals are in it by, beside their own facts. */
export interface WantedState extends Membership {
  readonly state: ReturnType<typeof stateOf>;
  /** Epoch ms. */
  readonly now: number;
}

/** Of one Treasury, newest first; `before` is the last row already seen. A Treasury of another chain may have its address. */
export async function listProposals(
  sql: Sql,
  { chainId, treasury, wanted }: { chainId: number; treasury: string; wanted: WantedState | null },
  before: bigint | undefined,
  limit: number,
): Promise<StoredProposal[]> {
  const rows = await sql<Row[]>`
    SELECT * FROM proposal p
    WHERE p.treasury = ${bytesOf(treasury)} AND p.run_id IN ${runsOf(sql, chainId)}
      ${before === undefined ? sql`` : sql`AND p.id < ${before}`}
      ${wanted ? inState(sql, wanted) : sql``}
    ORDER BY p.id DESC LIMIT ${limit}`;
  return withApprovals(sql, rows);
}

/** A deadline is over once a whole second has passed it: at 5.001 s the one at 5 s is, at 5.000 s it is not. */
const seconds = (now: number) => Math.ceil(now / 1_000);

/** Says of rows what `stateOf` says of proposals. */
function inState(sql: Sql, { state, owners, threshold, now }: WantedState) {
  if (state === "executed" || state === "cancelled" || state === "lost") return sql`AND p.state = ${state}`;
  if (state === "expired") return sql`AND p.state = 'open' AND p.deadline_s < ${seconds(now)}`;
  const isReady = sql`(
    SELECT count(*) FROM proposal_approval a
    WHERE a.run_id = p.run_id AND a.proposal_id = p.proposal_id
      AND a.owner = ANY(${list(owners.map(bytesOf))}::text[]::bytea[])) >= ${threshold}`;
  return sql`AND p.state = 'open' AND p.deadline_s >= ${seconds(now)} AND (${isReady}) = ${state === "ready"}`;
}

/** The chain's that are open and not past their deadline, and those that were ever executed. */
export async function proposalFigures(
  sql: Sql,
  chainId: number,
  now: number,
): Promise<{ waiting: number; executed: number }> {
  const [row] = await sql<{ waiting: number; executed: number }[]>`
    SELECT count(*) FILTER (WHERE state = 'open' AND deadline_s >= ${seconds(now)})::int AS waiting,
           count(*) FILTER (WHERE state = 'executed')::int AS executed
    FROM proposal WHERE run_id IN ${runsOf(sql, chainId)}`;
  return row ?? { waiting: 0, executed: 0 };
}

/** The chain's newest ones, with how many have approved them. */
export async function recentProposals(
  sql: Sql,
  chainId: number,
  limit: number,
): Promise<{ proposalId: `0x${string}`; state: string; approvals: number }[]> {
  const rows = await sql<{ proposal_id: Uint8Array; state: string; approvals: number }[]>`
    SELECT p.proposal_id, p.state, (
      SELECT count(*)::int FROM proposal_approval a WHERE a.proposal_id = p.proposal_id AND a.run_id = p.run_id) AS approvals
    FROM proposal p WHERE p.run_id IN ${runsOf(sql, chainId)} ORDER BY p.id DESC LIMIT ${limit}`;
  return rows.map(({ proposal_id, state, approvals }) => ({
    proposalId: hexOf(proposal_id),
    state,
    approvals,
  }));
}

export async function endProposals(tx: Tx, runId: bigint): Promise<void> {
  await tx`UPDATE proposal SET state = 'lost' WHERE run_id = ${runId} AND state = 'open'`;
}

async function withApprovals(sql: Sql, rows: readonly Row[]): Promise<StoredProposal[]> {
  const approvals = await sql<ApprovalRow[]>`
    SELECT * FROM proposal_approval
    WHERE run_id = ANY(${list(rows.map(({ run_id }) => run_id))}::text[]::bigint[])
      AND proposal_id = ANY(${list(rows.map(({ proposal_id }) => proposal_id))}::text[]::bytea[])
    ORDER BY owner`;
  return rows.map((row) => ({
    id: row.id,
    runId: row.run_id,
    treasury: addressOf(row.treasury),
    proposalId: hexOf(row.proposal_id),
    proposer: addressOf(row.proposer),
    nonce: row.nonce,
    deadlineS: row.deadline_s,
    reference: hexOf(row.reference),
    calls: row.calls.map(({ to, value, data }) => ({ to, value: BigInt(value), data })),
    state: row.state,
    openedAt: Number(row.opened_at),
    closedAt: row.closed_at === null ? null : Number(row.closed_at),
    transactionHash: row.closed_transaction ? hexOf(row.closed_transaction) : null,
    approvals: approvals
      .filter(
        ({ run_id, proposal_id }) =>
          run_id === row.run_id && Buffer.compare(proposal_id, row.proposal_id) === 0,
      )
      .map(({ owner, signature, approved_at }) => ({
        owner: addressOf(owner),
        signature: signature ? hexOf(signature) : null,
        approvedAt: Number(approved_at),
      })),
  }));
}

import { runsOf } from "#offchain/platform/chain/runStore.ts";
import { addressOf, bytesOf, hexOf, list } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { ProposalMessage } from "../messages.ts";
import type { Membership, ProposalFacts, stateOf } from "../rules.ts";
import { approvalsOf, approversOf, type StoredApproval } from "./approvals.ts";
import { readyAtOf } from "./delays.ts";
import type { PaymentReference } from "./payments.ts";

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
  /** How many owners decided when it was opened. */
  threshold: number;
  reference: `0x${string}`;
  calls: ProposalMessage["calls"];
  state: ProposalFacts["state"];
  /** Not opened on the chain as it is now, where nobody has used its nonce either. */
  isUnfollowed: boolean;
  /** Its opening was taken back by a reorganisation of the chain's current run. */
  isTakenBack: boolean;
  /** The other one of its nonce that was executed; null unless the state is `superseded`. */
  supersededBy: { proposalId: `0x${string}`; known: boolean } | null;
  /** When the payment that it is of is made without the owners' approval; null: it waits for that. */
  readyAt: number | null;
  openedAt: number;
  closedAt: number | null;
  transactionHash: `0x${string}` | null;
  approvals: readonly StoredApproval[];
}

interface Row {
  id: bigint;
  run_id: bigint;
  treasury: Uint8Array;
  proposal_id: Uint8Array;
  proposer: Uint8Array;
  nonce: bigint;
  deadline_s: bigint;
  threshold: number;
  reference: Uint8Array;
  calls: { to: `0x${string}`; value: string; data: `0x${string}` }[];
  state: StoredProposal["state"];
  is_unfollowed: boolean;
  is_taken_back_now: boolean;
  superseded_by: Uint8Array | null;
  is_superseder_known: boolean;
  ready_now: bigint | null;
  opened_at: bigint;
  closed_at: bigint | null;
  closed_transaction: Uint8Array | null;
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
    | "threshold"
    | "reference"
    | "calls"
    | "openedAt"
  > & { readonly openedBy: string; readonly paymentToken: string | null },
): Promise<void> {
  const calls = proposal.calls.map(({ to, value, data }) => ({ to, value: value.toString(), data }));
  await tx`
    INSERT INTO proposal (run_id, treasury, proposal_id, proposer, nonce, deadline_s, threshold, reference, calls, opened_at, opened_transaction, payment_token)
    VALUES (${proposal.runId}, ${bytesOf(proposal.treasury)}, ${bytesOf(proposal.proposalId)}, ${bytesOf(proposal.proposer)}, ${proposal.nonce.toString()},
            ${proposal.deadlineS.toString()}::numeric, ${proposal.threshold}, ${bytesOf(proposal.reference)}, ${tx.json(calls)}, ${proposal.openedAt}, ${bytesOf(proposal.openedBy)},
            ${proposal.paymentToken && bytesOf(proposal.paymentToken)})
    ON CONFLICT (run_id, proposal_id) DO UPDATE
      SET is_taken_back = false, proposer = excluded.proposer, reference = excluded.reference,
          opened_at = excluded.opened_at, opened_transaction = excluded.opened_transaction
      WHERE proposal.is_taken_back AND proposal.treasury = excluded.treasury`;
}

/**
 * An owner may propose the same again: the proposal goes with the transaction that opened it. One that owners have signed
 * stays, for whoever has the signatures can execute it all the same.
 */
export async function takeProposalBack(
  tx: Tx,
  runId: bigint,
  proposalId: string,
  openedBy: string,
): Promise<void> {
  const opened = tx`
    p.run_id = ${runId} AND p.proposal_id = ${bytesOf(proposalId)} AND p.opened_transaction = ${bytesOf(openedBy)}`;
  const isSigned = tx`
    EXISTS (SELECT FROM proposal_signature s WHERE s.run_id = p.run_id AND s.proposal_id = p.proposal_id)`;
  await tx`UPDATE proposal p SET is_taken_back = true WHERE ${opened} AND ${isSigned}`;
  await tx`DELETE FROM proposal p WHERE ${opened} AND NOT ${isSigned}`;
}

/** A nonce that was used up: by the execution of a proposal, or by a cancellation. */
export interface UsedNonce {
  readonly runId: bigint;
  readonly treasury: string;
  readonly nonce: bigint;
  readonly transaction: string;
}

/** Closes all proposals of the nonce, also those that are opened later. */
export async function closeNonce(
  tx: Tx,
  { runId, treasury, nonce, transaction }: UsedNonce,
  { executed, at }: { executed: string | null; at: number },
): Promise<void> {
  await tx`
    INSERT INTO treasury_nonce (run_id, treasury, nonce, executed, used_at, transaction_hash)
    VALUES (${runId}, ${bytesOf(treasury)}, ${nonce.toString()}, ${executed === null ? null : bytesOf(executed)}, ${at}, ${bytesOf(transaction)})
    ON CONFLICT DO NOTHING`;
}

/** Takes `closeNonce` back: every proposal is what it was. */
export async function reopenNonce(tx: Tx, { runId, treasury, nonce, transaction }: UsedNonce): Promise<void> {
  await tx`
    DELETE FROM treasury_nonce
    WHERE run_id = ${runId} AND treasury = ${bytesOf(treasury)} AND nonce = ${nonce.toString()}::numeric
      AND transaction_hash = ${bytesOf(transaction)}`;
}

/**
 * Proposals with what follows from their nonces and their runs, for `FROM … p`. Owners' signatures are as good in a later
 * run of the chain, where the same Treasury stands with its nonces unused, and where their opening was taken back: the newest
 * run in which the nonce was used says what became of the proposal. One that was opened again in a later run is told as of that.
 */
const proposals = (sql: Sql) => sql`(
  SELECT p.*, ${readyAtOf(sql)} AS ready_now, n.used_at AS closed_at, n.transaction_hash AS closed_transaction,
         CASE WHEN n.executed = p.proposal_id THEN 'executed' WHEN n.executed IS NOT NULL THEN 'superseded'
              WHEN n.nonce IS NOT NULL THEN 'cancelled'
              WHEN r.ended_at IS NOT NULL OR p.is_taken_back THEN 'lost' ELSE 'open' END AS state,
         (r.ended_at IS NOT NULL OR p.is_taken_back) AND (n.nonce IS NULL OR n.is_over) AS is_unfollowed,
         p.is_taken_back AND r.ended_at IS NULL AS is_taken_back_now,
         CASE WHEN n.executed <> p.proposal_id THEN n.executed END AS superseded_by,
         EXISTS (SELECT FROM proposal o JOIN chain_run k ON k.id = o.run_id
                 WHERE k.chain_id = r.chain_id AND o.proposal_id = n.executed) AS is_superseder_known
  FROM proposal p JOIN chain_run r ON r.id = p.run_id LEFT JOIN LATERAL (
    SELECT u.*, k.ended_at IS NOT NULL AS is_over FROM chain_run k
    JOIN treasury_nonce u ON u.run_id = k.id AND u.treasury = p.treasury AND u.nonce = p.nonce
    WHERE k.chain_id = r.chain_id AND k.id >= p.run_id ORDER BY k.id DESC LIMIT 1) n ON true
  WHERE r.ended_at IS NULL OR NOT EXISTS (
    SELECT FROM chain_run k JOIN proposal q ON q.run_id = k.id AND q.proposal_id = p.proposal_id
    WHERE k.chain_id = r.chain_id AND k.id > p.run_id AND q.treasury = p.treasury))`;

/** In whichever run of the chain it was opened; in the newest one, if the same was proposed again. */
export async function findProposal(
  sql: Sql,
  chainId: number,
  proposalId: string,
): Promise<StoredProposal | null> {
  const rows = await sql<Row[]>`
    SELECT * FROM ${proposals(sql)} p
    WHERE p.proposal_id = ${bytesOf(proposalId)} AND p.run_id IN ${runsOf(sql, chainId)}
    ORDER BY p.run_id DESC LIMIT 1`;
  return (await withApprovals(sql, rows))[0] ?? null;
}

/** The proposals that a spender's payments under a reference opened, the newest first: one, but for what is behind its back. */
export async function proposedPayments(
  sql: Sql,
  { runId, treasury, spender, reference }: PaymentReference,
  nonce: bigint,
): Promise<
  (Pick<StoredProposal, "proposalId" | "calls" | "readyAt"> & { readonly openedBy: `0x${string}` | null })[]
> {
  const rows = await sql<
    (Pick<Row, "proposal_id" | "calls" | "ready_now"> & { opened_transaction: Uint8Array | null })[]
  >`
    SELECT proposal_id, calls, opened_transaction, ${readyAtOf(sql)} AS ready_now FROM proposal p
    WHERE run_id = ${runId} AND treasury = ${bytesOf(treasury)} AND nonce = ${nonce.toString()}::numeric
      AND proposer = ${bytesOf(spender)} AND reference = ${bytesOf(reference)} AND NOT is_taken_back
    ORDER BY id DESC`;
  return rows.map(({ proposal_id, calls, opened_transaction, ready_now }) => ({
    proposalId: hexOf(proposal_id),
    calls: callsOf(calls),
    readyAt: ready_now === null ? null : Number(ready_now),
    openedBy: opened_transaction && hexOf(opened_transaction),
  }));
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
    SELECT * FROM ${proposals(sql)} p
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
  if (state === "executed" || state === "superseded" || state === "cancelled" || state === "lost")
    return sql`AND p.state = ${state}`;
  if (state === "expired") return sql`AND p.state = 'open' AND p.deadline_s < ${seconds(now)}`;
  const isReady = sql`(
    SELECT count(*) FROM ${approversOf(sql)} a
    WHERE a.owner = ANY(${list(owners.map(bytesOf))}::text[]::bytea[])) >= ${threshold}`;
  const isInTime = sql`AND p.state = 'open' AND p.deadline_s >= ${seconds(now)}`;
  if (state === "outdated") return sql`${isInTime} AND p.threshold <> ${threshold}`;
  return sql`${isInTime} AND p.threshold = ${threshold} AND (${isReady}) = ${state === "ready"}`;
}

/**
 * How many of the chain's run are open and not past their deadline, and how many were executed in it, in whichever run they
 * were opened. What owners execute without opening it is no proposal here.
 */
export async function proposalFigures(
  sql: Sql,
  runId: bigint,
  now: number,
): Promise<{ waiting: number; executed: number }> {
  const [row] = await sql<{ waiting: number; executed: number }[]>`
    SELECT (SELECT count(*)::int FROM proposal p JOIN chain_run r ON r.id = p.run_id AND r.ended_at IS NULL
            WHERE p.run_id = ${runId} AND NOT p.is_taken_back AND p.deadline_s >= ${seconds(now)}
            -- A run that goes on is the newest: no later one has used the nonce.
            AND NOT EXISTS (SELECT FROM treasury_nonce u
                            WHERE u.run_id = p.run_id AND u.treasury = p.treasury AND u.nonce = p.nonce)) AS waiting,
           (SELECT count(*)::int FROM treasury_nonce n WHERE run_id = ${runId} AND executed IS NOT NULL
            AND EXISTS (SELECT FROM proposal p WHERE p.proposal_id = n.executed)) AS executed`;
  return row ?? { waiting: 0, executed: 0 };
}

/** The chain's newest ones, with how many have approved them. */
export async function recentProposals(
  sql: Sql,
  chainId: number,
  limit: number,
): Promise<{ proposalId: `0x${string}`; state: string; approvals: number }[]> {
  const rows = await sql<{ proposal_id: Uint8Array; state: string; approvals: number }[]>`
    SELECT p.proposal_id, p.state, (SELECT count(*)::int FROM ${approversOf(sql)} a) AS approvals
    FROM ${proposals(sql)} p WHERE p.run_id IN ${runsOf(sql, chainId)} ORDER BY p.id DESC LIMIT ${limit}`;
  return rows.map(({ proposal_id, state, approvals }) => ({
    proposalId: hexOf(proposal_id),
    state,
    approvals,
  }));
}

const callsOf = (calls: Row["calls"]): StoredProposal["calls"] =>
  calls.map(({ to, value, data }) => ({ to, value: BigInt(value), data }));

async function withApprovals(sql: Sql, rows: readonly Row[]): Promise<StoredProposal[]> {
  const approvals = await approvalsOf(sql, rows);
  return rows.map((row) => ({
    id: row.id,
    runId: row.run_id,
    treasury: addressOf(row.treasury),
    proposalId: hexOf(row.proposal_id),
    proposer: addressOf(row.proposer),
    nonce: row.nonce,
    deadlineS: row.deadline_s,
    threshold: row.threshold,
    reference: hexOf(row.reference),
    calls: callsOf(row.calls),
    state: row.state,
    isUnfollowed: row.is_unfollowed,
    isTakenBack: row.is_taken_back_now,
    supersededBy: row.superseded_by && {
      proposalId: hexOf(row.superseded_by),
      known: row.is_superseder_known,
    },
    readyAt: row.ready_now === null ? null : Number(row.ready_now),
    openedAt: Number(row.opened_at),
    closedAt: row.closed_at === null ? null : Number(row.closed_at),
    transactionHash: row.closed_transaction ? hexOf(row.closed_transaction) : null,
    approvals: approvals.get(row) ?? [],
  }));
}

import { addressOf, bytesOf, hexOf, list } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";

/** An owner's approval of a proposal: by a transaction, by a signature that was handed in here, or by both. */
export interface StoredApproval {
  readonly owner: `0x${string}`;
  readonly isOnChain: boolean;
  readonly signature: `0x${string}` | null;
  /** Epoch ms; of the transaction if there is one. */
  readonly approvedAt: number;
}

/** What an owner approved by a transaction. */
export interface ChainApproval {
  readonly runId: bigint;
  readonly treasury: string;
  readonly proposalId: string;
  readonly owner: string;
  readonly transaction: string;
}

/** An owner may approve the same again: the first time counts. */
export async function saveApproval(
  tx: Tx,
  { runId, treasury, proposalId, owner, transaction }: ChainApproval,
  at: number,
): Promise<void> {
  await tx`
    INSERT INTO proposal_approval (run_id, treasury, proposal_id, owner, approved_at, transaction_hash)
    VALUES (${runId}, ${bytesOf(treasury)}, ${bytesOf(proposalId)}, ${bytesOf(owner)}, ${at}, ${bytesOf(transaction)})
    ON CONFLICT DO NOTHING`;
}

/** Takes `saveApproval` back. */
export async function deleteApproval(
  tx: Tx,
  { runId, treasury, proposalId, owner, transaction }: ChainApproval,
): Promise<void> {
  await tx`
    DELETE FROM proposal_approval
    WHERE run_id = ${runId} AND treasury = ${bytesOf(treasury)} AND proposal_id = ${bytesOf(proposalId)}
      AND owner = ${bytesOf(owner)} AND transaction_hash = ${bytesOf(transaction)}`;
}

/** Keeps an owner's signature in the place of `kept`; if another one has taken that meanwhile, nothing changes. */
export async function saveSignature(
  sql: Sql,
  signed: { runId: bigint; proposalId: string; owner: string; signature: string; at: number },
  kept: string | null,
): Promise<void> {
  await sql`
    INSERT INTO proposal_signature (run_id, proposal_id, owner, signature, signed_at)
    VALUES (${signed.runId}, ${bytesOf(signed.proposalId)}, ${bytesOf(signed.owner)}, ${bytesOf(signed.signature)}, ${signed.at})
    ON CONFLICT (run_id, proposal_id, owner)
      DO UPDATE SET signature = excluded.signature, signed_at = excluded.signed_at
      WHERE proposal_signature.signature = ${kept === null ? null : bytesOf(kept)}`;
}

/** Who has approved the proposal `p`, once each, for `FROM … a`. */
export const approversOf = (sql: Sql) => sql`(
  SELECT owner FROM proposal_approval o
  WHERE o.run_id = p.run_id AND o.treasury = p.treasury AND o.proposal_id = p.proposal_id
  UNION SELECT owner FROM proposal_signature o WHERE o.run_id = p.run_id AND o.proposal_id = p.proposal_id)`;

/** A proposal by its columns. */
interface ProposalKey {
  readonly run_id: bigint;
  readonly treasury: Uint8Array;
  readonly proposal_id: Uint8Array;
}

interface Row extends Omit<ProposalKey, "treasury"> {
  owner: Uint8Array;
  signature: Uint8Array | null;
  approved_at: bigint | null;
  signed_at: bigint | null;
}

/** The approvals of these proposals, by owner. */
export async function approvalsOf<Proposal extends ProposalKey>(
  sql: Sql,
  proposals: readonly Proposal[],
): Promise<Map<Proposal, StoredApproval[]>> {
  const rows = await sql<Row[]>`
    WITH wanted AS (
      SELECT * FROM unnest(${list(proposals.map(({ run_id }) => run_id))}::text[]::bigint[],
                           ${list(proposals.map(({ treasury }) => treasury))}::text[]::bytea[],
                           ${list(proposals.map(({ proposal_id }) => proposal_id))}::text[]::bytea[])
             AS w (run_id, treasury, proposal_id))
    SELECT run_id, proposal_id, owner, s.signature, a.approved_at, s.signed_at
    FROM (SELECT run_id, proposal_id, owner, approved_at
          FROM wanted JOIN proposal_approval USING (run_id, treasury, proposal_id)) a
    FULL JOIN (SELECT run_id, proposal_id, owner, signature, signed_at
               FROM wanted JOIN proposal_signature USING (run_id, proposal_id)) s USING (run_id, proposal_id, owner)
    ORDER BY owner`;
  const byProposal = Map.groupBy(rows, keyOf);
  return new Map(
    proposals.map((proposal) => [proposal, (byProposal.get(keyOf(proposal)) ?? []).map(approvalOf)]),
  );
}

const keyOf = ({ run_id, proposal_id }: Pick<ProposalKey, "run_id" | "proposal_id">) =>
  `${run_id}:${hexOf(proposal_id)}`;

const approvalOf = ({ owner, signature, approved_at, signed_at }: Row): StoredApproval => ({
  owner: addressOf(owner),
  isOnChain: approved_at !== null,
  signature: signature ? hexOf(signature) : null,
  approvedAt: Number(approved_at ?? signed_at),
});

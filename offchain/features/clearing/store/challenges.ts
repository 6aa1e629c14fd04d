import { bytesOf, hexOf, list } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";

export interface ClearingChallenge {
  challengeId: bigint;
  rootNumber: number;
  payee: `0x${string}`;
  cumulative: bigint;
  attempts: number;
}

/** Challenges that nobody has answered yet, and that no answer is on its way to. */
export async function openChallenges(sql: Sql, runId: bigint): Promise<ClearingChallenge[]> {
  const rows = await sql<
    {
      challenge_id: bigint;
      root_number: number;
      payee: Uint8Array;
      cumulative: bigint;
      attempts: number;
    }[]
  >`SELECT * FROM clearing_challenge WHERE run_id = ${runId} AND state = 'open' AND transaction_id IS NULL
    ORDER BY challenge_id`;
  return rows.map((row) => ({
    challengeId: row.challenge_id,
    rootNumber: row.root_number,
    payee: hexOf(row.payee),
    cumulative: row.cumulative,
    attempts: row.attempts,
  }));
}

export async function markAnswersSubmitted(
  tx: Tx,
  runId: bigint,
  challengeIds: readonly bigint[],
  transactionId: bigint,
): Promise<void> {
  await tx`
    UPDATE clearing_challenge SET transaction_id = ${transactionId}, attempts = attempts + 1
    WHERE run_id = ${runId} AND challenge_id = ANY (${list(challengeIds)}::numeric[])`;
}

export async function saveChallenge(
  tx: Tx,
  runId: bigint,
  challenge: {
    challengeId: bigint;
    rootNumber: number;
    payee: string;
    cumulative: bigint;
    answerBy: number;
  },
): Promise<void> {
  const { challengeId, rootNumber, payee, cumulative, answerBy } = challenge;
  await tx`
    INSERT INTO clearing_challenge (run_id, challenge_id, root_number, payee, cumulative, answer_by, state)
    VALUES (${runId}, ${challengeId.toString()}, ${rootNumber}, ${bytesOf(payee)}, ${cumulative.toString()}, ${answerBy}, 'open')`;
}

export async function dropChallenge(tx: Tx, runId: bigint, challengeId: bigint): Promise<void> {
  await tx`DELETE FROM clearing_challenge WHERE run_id = ${runId} AND challenge_id = ${challengeId.toString()}`;
}

export async function setChallengeState(
  tx: Tx,
  runId: bigint,
  challengeId: bigint,
  state: "open" | "answered" | "won",
): Promise<void> {
  await tx`
    UPDATE clearing_challenge SET state = ${state}
    WHERE run_id = ${runId} AND challenge_id = ${challengeId.toString()}`;
}

/** Whether a challenge of the root was enforced: then the root is void, whatever becomes of its other challenges. */
export async function isChallengeWon(tx: Tx, runId: bigint, rootNumber: number): Promise<boolean> {
  const [row] = await tx`
    SELECT FROM clearing_challenge WHERE run_id = ${runId} AND root_number = ${rootNumber} AND state = 'won' LIMIT 1`;
  return row !== undefined;
}

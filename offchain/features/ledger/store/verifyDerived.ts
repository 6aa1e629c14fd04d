import type { Tx } from "#offchain/platform/database/database.ts";
import type { Broken } from "./broken.ts";

/**
 * Whether what is kept beside the journal for speed is what follows from it: what an account is promised and how many
 * entries it has, the newest ids, and the list of open holds, by which they expire.
 */
export async function verifyDerived(tx: Tx): Promise<Broken | null> {
  return (await brokenAccount(tx)) ?? (await brokenHead(tx)) ?? (await brokenOpenHold(tx));
}

async function brokenAccount(tx: Tx): Promise<Broken | null> {
  const [account] = await tx<{ name: string }[]>`
    SELECT a.name FROM account a
    LEFT JOIN (SELECT credit, sum(amount) AS sum FROM transfer t
               WHERE NOT EXISTS (SELECT FROM journal j WHERE j.transfer_id = t.id) GROUP BY credit) p ON p.credit = a.id
    LEFT JOIN (SELECT account, max(entry) AS entry FROM (
                 SELECT debit AS account, debit_entry AS entry FROM journal
                 UNION ALL SELECT credit, credit_entry FROM journal) moves GROUP BY account) e ON e.account = a.id
    WHERE a.incoming <> coalesce(p.sum, 0) OR a.entries <> coalesce(e.entry, 0) ORDER BY a.id LIMIT 1`;
  return account
    ? { what: "account", unit: account.name, height: 0, transferId: null, why: "changed" }
    : null;
}

/** The next ids follow from it: too low a number would take one that is used. */
async function brokenHead(tx: Tx): Promise<Broken | null> {
  const [head] = await tx`
    SELECT FROM ledger_head WHERE last_transfer = (SELECT coalesce(max(id), 0) FROM transfer)
      AND last_account = (SELECT coalesce(max(id), 0) FROM account)`;
  return head ? null : { what: "head", unit: "", height: 0, transferId: null, why: "changed" };
}

async function brokenOpenHold(tx: Tx): Promise<Broken | null> {
  const [broken] = await tx<{ id: bigint; unit: string | null; why: Broken["why"] }[]>`
    SELECT coalesce(t.id, h.transfer_id) AS id, t.unit, CASE
      WHEN h.transfer_id IS NULL THEN 'missing' WHEN t.id IS NULL THEN 'unknown' ELSE 'changed' END AS why
    FROM (SELECT t.* FROM transfer t, open_hold_head o
          WHERE t.id <= o.noted_transfer AND t.fee_of IS NULL
            AND NOT EXISTS (SELECT FROM journal j WHERE j.transfer_id = t.id)) t
    FULL JOIN (SELECT * FROM open_hold h
               WHERE NOT EXISTS (SELECT FROM journal j WHERE j.transfer_id = h.transfer_id)) h ON h.transfer_id = t.id
    WHERE h.transfer_id IS NULL OR t.id IS NULL OR h.debit <> t.debit OR h.credit <> t.credit
      OR h.expires_at IS DISTINCT FROM t.expires_at LIMIT 1`;
  if (!broken) return null;
  return {
    what: "hold",
    unit: broken.unit ?? "",
    height: 0,
    transferId: broken.id.toString(),
    why: broken.why,
  };
}

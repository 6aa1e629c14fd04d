import type { UnitCode } from "#offchain/core/unit.ts";
import type { Tx } from "#offchain/platform/database/database.ts";
import { genesisHash, type OpeningFacts, openingHash, openingText, requestDigest } from "../books/digest.ts";
import type { LedgerHead } from "../rules/head.ts";
import type { AccountName, Metadata } from "../rules/transfer.ts";
import type { Broken } from "./broken.ts";

/** A transfer with its accounts' names; everything is null where there is none. */
export interface TransferColumns {
  id: bigint | null;
  key: string;
  unit: string;
  debit: bigint;
  credit: bigint;
  debit_name: string | null;
  credit_name: string | null;
  amount: bigint;
  expires_at: bigint | null;
  fee: bigint | null;
  fee_of: bigint | null;
  reverses: bigint | null;
  created_at: bigint;
  reference: string | null;
  memo: string | null;
  metadata: string | null;
  hash: Uint8Array | null;
}

/** Null when the transfer, or an account of it, is gone. */
export function transferFacts(row: TransferColumns): OpeningFacts | null {
  if (row.id === null || row.debit_name === null || row.credit_name === null) return null;
  return {
    transferId: row.id,
    key: row.key,
    unit: row.unit,
    debit: row.debit,
    credit: row.credit,
    debitName: row.debit_name,
    creditName: row.credit_name,
    asked: row.amount,
    expiresAt: row.expires_at,
    fee: row.fee,
    feeOf: row.fee_of,
    reverses: row.reverses,
    createdAt: row.created_at,
    reference: row.reference,
    memo: row.memo,
    metadata: row.metadata,
  };
}

interface Row extends TransferColumns {
  id: bigint;
  is_resolved: boolean;
  /** What its own key was used for, and when; null when there is no such key. */
  key_request: string | null;
  key_used_at: bigint | null;
}

interface Since {
  last_transfer: bigint;
  chained_after: bigint;
  keys_after: bigint;
}

/** Transfers read at a time. */
const stride = 20_000n;

/** Whether every hold is as it was opened, and every idempotency key stands for the transfer that it was used for. */
export async function verifyTransfers(tx: Tx, heads: readonly LedgerHead[]): Promise<Broken | null> {
  const [since] = await tx<Since[]>`SELECT last_transfer, chained_after, keys_after FROM ledger_head`;
  if (!since) throw new Error("the ledger has lost its head");
  const chains = new Map(heads.map(({ unit }) => [unit, { number: 0, hash: genesisHash }]));
  const [newest] = await tx<{ id: bigint }[]>`SELECT coalesce(max(id), 0)::bigint AS id FROM transfer`;
  const last = newest?.id ?? 0n;
  for (let after = 0n; after < last; after += stride)
    for (const row of await readTransfers(tx, after)) {
      const broken = brokenHold(row, since, chains) ?? brokenKey(row, since);
      if (broken) return broken;
    }
  for (const { unit, openings, openingHash: hash } of heads) {
    const chain = chains.get(unit);
    if (chain?.number === openings && chain.hash === hash) continue;
    const number = chain?.number ?? 0;
    if (number < openings) return { ...hold(unit, number + 1), why: "missing" };
    return { ...hold(unit, number), why: "head differs" };
  }
  return strayKey(tx, since);
}

const readTransfers = (tx: Tx, after: bigint) => tx<Row[]>`
  SELECT t.*, d.name AS debit_name, c.name AS credit_name, j.transfer_id IS NOT NULL AS is_resolved,
         k.request AS key_request, k.used_at AS key_used_at
  FROM transfer t LEFT JOIN account d ON d.id = t.debit LEFT JOIN account c ON c.id = t.credit
    LEFT JOIN journal j ON j.transfer_id = t.id
    LEFT JOIN ledger_key k ON k.digest = half_digest(t.key) AND k.transfer_id = t.id
  WHERE t.id > ${after} AND t.id <= ${after + stride} ORDER BY t.id`;

const hold = (unit: string, height: number, id: bigint | null = null) =>
  ({ what: "hold", unit, height, transferId: id?.toString() ?? null }) as const;

/** A hold continues the hash of the hold before it; what is pending and has none was put there by somebody else. */
function brokenHold(
  row: Row,
  since: Since,
  chains: Map<string, { number: number; hash: string }>,
): Broken | null {
  const { id, unit } = row;
  if (id > since.last_transfer) return { ...hold(unit, 0, id), why: "beyond the head" };
  if (row.hash === null) {
    const isStrange = !row.is_resolved && id > since.chained_after;
    return isStrange ? { ...hold(unit, 0, id), why: "unknown" } : null;
  }
  const chain = chains.get(unit);
  const facts = transferFacts(row);
  if (!chain || !facts) return { ...hold(unit, 0, id), why: "changed" };
  chain.number += 1;
  chain.hash = openingHash(chain.hash, chain.number, openingText(facts));
  if (chain.hash === Buffer.from(row.hash).toString("hex")) return null;
  return { ...hold(unit, chain.number, id), why: "changed" };
}

/** A fee shares the key of its transfer; a key that is older than keys are kept may be gone. */
function brokenKey(row: Row, { keys_after }: Since): Broken | null {
  const { id, unit, fee_of, created_at, key_request: request, key_used_at: usedAt } = row;
  const broken = { what: "key", unit, height: 0, transferId: id.toString() } as const;
  if (request === null || usedAt === null)
    return fee_of !== null || created_at < keys_after ? null : { ...broken, why: "missing" };
  // By its age a key is forgotten; by its request a repetition is known from another transfer.
  const isOwn = usedAt === created_at && requestsOf(row).includes(request.replaceAll("-", ""));
  return isOwn ? null : { ...broken, why: "changed" };
}

/** The requests that open such a transfer. */
function requestsOf(row: Row): string[] {
  const { key, amount, reverses } = row;
  const described = {
    key,
    ...(row.reference !== null && { reference: row.reference }),
    ...(row.memo !== null && { memo: row.memo }),
    ...(row.metadata !== null && { metadata: JSON.parse(row.metadata) as Metadata }),
  };
  if (reverses !== null) {
    const reversal = { kind: "reverse", transferId: reverses.toString(), ...described } as const;
    return [reversal, { ...reversal, amount }].map(requestDigest);
  }
  const movement = {
    debit: row.debit_name as AccountName,
    credit: row.credit_name as AccountName,
    unit: row.unit as UnitCode,
    amount,
  };
  const hold = row.expires_at === null ? {} : { expiresAt: Number(row.expires_at) };
  return [
    requestDigest({ kind: "transfer", ...described, ...movement }),
    requestDigest({ kind: "hold", ...described, ...movement, ...hold }),
  ];
}

/** A key that is not its transfer's own can only be that under which a hold was resolved, in that moment and by that word. */
async function strayKey(tx: Tx, { chained_after }: Since): Promise<Broken | null> {
  const [stray] = await tx<{ transfer_id: bigint; unit: string | null }[]>`
    SELECT k.transfer_id, t.unit
    FROM ledger_key k LEFT JOIN transfer t ON t.id = k.transfer_id LEFT JOIN journal j ON j.transfer_id = t.id
    WHERE t.id IS NULL OR (k.digest <> half_digest(t.key)
      AND NOT (j.transfer_id IS NOT NULL AND k.used_at = j.resolved_at AND (t.hash IS NOT NULL OR t.id <= ${chained_after})
        AND k.request IN (half_digest('void|' || t.id), half_digest('post|' || t.id || '|'),
                          half_digest('post|' || t.id || '|' || j.amount))))
    LIMIT 1`;
  if (!stray) return null;
  const { unit, transfer_id } = stray;
  return { what: "key", unit: unit ?? "", height: 0, transferId: transfer_id.toString(), why: "unknown" };
}

/** A column that holds a number which another database gives otherwise, and what it stands for. */
export type Link = "channel" | "transfer";

/** How a table's rows are told apart and compared. Columns that are left out are not the same in two databases by nature. */
export interface Rows {
  /** Columns that name a row. */
  readonly key: readonly string[];
  /** Left out of the comparison. */
  readonly omit?: readonly string[];
  readonly links?: Readonly<Record<string, Link>>;
  /** Rows belong to a chain's run: only those of the current one count. */
  readonly isOfRun?: true;
  /** SQL about the row `t`: which rows count. */
  readonly where?: string;
}

/** Where the rows of a table come from when the database is made anew. */
export type Origin =
  /** What the indexer's handlers make of the chain's events. */
  | ({ readonly from: "chain" } & Rows)
  /** The archive's lines of kind `row`, as they stood. */
  | ({ readonly from: "archive" } & Rows)
  /** Made of other tables' rows as these are written, or of the chain and the archive together. */
  | { readonly from: "both"; readonly how: string; readonly rows: Rows | string | null }
  | { readonly from: "nothing"; readonly why: string };

const run = { isOfRun: true } as const;

/** A name of an account with the chain's own ids instead of the database's; null: of a run of the chain that is over. */
const stableName = (name: string) => `CASE
  WHEN ${name} LIKE 'channel:%' THEN (
    SELECT 'channel:' || r.chain_id || ':0x' || encode(k.channel_id, 'hex') FROM channel k JOIN chain_run r ON r.id = k.run_id
    WHERE k.id = substr(${name}, 9)::bigint AND r.ended_at IS NULL)
  WHEN ${name} ~ '^(payee|chain):[0-9]+' THEN (
    SELECT split_part(${name}, ':', 1) || ':' || r.chain_id || ':' || split_part(${name}, ':', 3) FROM chain_run r
    WHERE r.id = split_part(${name}, ':', 2)::bigint AND r.ended_at IS NULL)
  ELSE ${name} END`;

/** Accounts that mirror the chain: only its events and vouchers move them. */
export const isMirror = (name: string) => `${name} ~ '^(chain|channel|payee):'`;

const accounts = `
  SELECT name || ' ' || unit AS key, to_jsonb(q) - 'name' - 'unit' AS row FROM (
    SELECT ${stableName("t.name")} AS name, unit, external, balance, pending, incoming, suspended_at, limit_transaction,
           limit_hourly, limit_daily, limit_weekly, limit_monthly,
           CASE WHEN NOT ${isMirror("t.name")} THEN
             jsonb_build_array(entries, opened_at, spent_hourly, spent_daily, spent_weekly, spent_monthly, charged_at) END AS own
    FROM account t WHERE NOT ${isMirror("t.name")} OR balance <> 0 OR pending <> 0 OR incoming <> 0
  ) q WHERE name IS NOT NULL`;

const ownTransfers = `
  SELECT t.key, jsonb_build_object('debit', d.name, 'credit', c.name, 'unit', t.unit, 'amount', t.amount, 'fee', t.fee,
    'reference', CASE WHEN t.fee_of IS NULL THEN t.reference END, 'memo', t.memo, 'metadata', t.metadata, 'created_at', t.created_at, 'expires_at', t.expires_at,
    'reverses', (SELECT r.key FROM transfer r WHERE r.id = t.reverses), 'fee_of', (SELECT f.key FROM transfer f WHERE f.id = t.fee_of),
    'moved', j.amount, 'resolved_at', j.resolved_at) AS row
  FROM transfer t JOIN account d ON d.id = t.debit JOIN account c ON c.id = t.credit
  LEFT JOIN journal j ON j.transfer_id = t.id
  WHERE NOT ${isMirror("d.name")} AND NOT ${isMirror("c.name")}`;

const batches = `
  SELECT t.id::text AS key, jsonb_build_object('unit', unit, 'state', replace(state, 'submitted', 'closed'),
    'closed_by', closed_by, 'payments', payments, 'value', value, 'opened_at', opened_at, 'closed_at', closed_at,
    'forced', forced, 'settled_at', settled_at, 'transaction', encode(transaction_hash, 'hex')) AS row
  FROM batch t JOIN chain_run r ON r.id = t.run_id AND r.ended_at IS NULL`;

const chainEvents = `
  SELECT encode(b.hash, 'hex') || ' ' || t.log_index AS key, to_jsonb(t) - 'run_id' - 'sequence' AS row
  FROM chain_event t JOIN chain_block b ON b.run_id = t.run_id AND b.sequence = t.sequence
  JOIN chain_run r ON r.id = t.run_id AND r.ended_at IS NULL WHERE b.retracted_as IS NULL`;

const chainRuns = `
  SELECT chain_id::text AS key, jsonb_build_object('genesis', encode(genesis_hash, 'hex'), 'from', from_block) AS row
  FROM chain_run t WHERE ended_at IS NULL`;

/** Every table of the schema. A new one must be placed here: a test compares the list with the migrations. */
export const origins: Readonly<Record<string, Origin>> = {
  account: {
    from: "both",
    how: "what the chain mirrors from its events and the vouchers; the rest from the archive's transfers, limits and suspensions",
    rows: accounts,
  },
  adp_issue: { from: "archive", key: ["society_id", "key"] },
  agent: { from: "archive", key: ["id"] },
  batch: {
    from: "both",
    how: "what it holds from the archive; whether it is settled, and by which transaction, from the chain",
    rows: batches,
  },
  batch_refusal: { from: "archive", key: ["batch_id", "channel"], links: { channel: "channel" } },
  batch_sum: { from: "both", how: "kept with the batches", rows: { key: ["unit", "state"], ...run } },
  capacity_proof: { from: "archive", key: ["source_id", "proven_at"] },
  chain_attempt: {
    from: "nothing",
    why: "signed transactions of the sender's queue; what came of them is on the chain",
  },
  chain_block: {
    from: "both",
    how: "from the chain; which blocks without events are remembered depends on when it was read",
    rows: null,
  },
  chain_event: { from: "both", how: "from the chain", rows: chainEvents },
  chain_gas: { from: "nothing", why: "kept with the sender's transactions" },
  chain_run: { from: "both", how: "from the chain", rows: chainRuns },
  chain_sender: { from: "nothing", why: "made by the sender; the next nonce is the chain's" },
  chain_transaction: {
    from: "nothing",
    why: "the sender's queue: what was mined is on the chain, what was not is sent again by the job that wants it",
  },
  chain_watch: { from: "chain", key: ["handler", "key"], ...run },
  channel: {
    from: "chain",
    key: ["channel_id"],
    // Opened: when the service heard of it, by a relayed request or by the chain.
    omit: ["id", "opened_at", "transaction_id"],
    ...run,
    where: "t.index IS NOT NULL",
  },
  channel_claim: {
    from: "chain",
    key: ["channel", "block_hash", "log_index"],
    omit: ["id", "transfers"],
    links: { channel: "channel" },
    where: currentChannel("t.channel"),
  },
  channel_payout: { from: "chain", key: ["block_hash", "log_index"], ...run },
  clearing_credited: { from: "archive", key: [], ...run },
  clearing_epoch: {
    from: "both",
    how: "what is sealed or void from the chain; its rows' number and what was paid of them from the archive",
    rows: {
      key: ["number"],
      omit: ["transaction_id", "payout_transaction_id", "payout_from", "payout_to", "call_to"],
      ...run,
    },
  },
  clearing_fill: { from: "chain", key: ["number", "rows"], ...run },
  clearing_payee: { from: "archive", key: ["payee"], ...run },
  clearing_payout: { from: "chain", key: ["block_hash", "log_index"], ...run },
  clearing_row: { from: "archive", key: ["payee", "number"], ...run },
  energy_lot: { from: "archive", key: ["id"] },
  energy_source: { from: "archive", key: ["id"] },
  footprint: { from: "archive", key: ["ticket_id"] },
  footprint_sum: { from: "archive", key: ["worker", "dimension", "value"] },
  foreign_channel: { from: "chain", key: ["channel_id"], ...run },
  journal: {
    from: "both",
    how: "with the transfers, which are compared with what became of them",
    rows: null,
  },
  journal_head: {
    from: "both",
    how: "with the journal: its order is another one, and so are its hashes",
    rows: null,
  },
  ledger_anchor: {
    from: "both",
    how: "what was anchored from the chain; what was signed is about the journal of before, whose hashes were others",
    rows: null,
  },
  ledger_fee: { from: "archive", key: ["unit"] },
  ledger_head: { from: "both", how: "with the transfers: it counts them", rows: null },
  ledger_key: {
    from: "both",
    how: "keys of transfers with these; those of posts and voids are not known any more, and what they resolved is",
    rows: null,
  },
  ledger_rule: {
    from: "both",
    how: "what stands of limits, suspensions and fees is noted anew; not what stood before",
    rows: null,
  },
  ledger_schedule: { from: "archive", key: ["id"] },
  ledger_schedule_run: {
    from: "archive",
    key: ["schedule_id", "run"],
    links: { transfer_id: "transfer" },
  },
  lock: { from: "nothing", why: "who works on what at this moment" },
  migration: { from: "both", how: "made by the migrations", rows: { key: ["name"], omit: ["applied_at"] } },
  open_hold: { from: "both", how: "noted from the journal by a job", rows: null },
  open_hold_head: { from: "both", how: "noted from the journal by a job", rows: null },
  payer_claim: {
    from: "nothing",
    why: "the sender's transactions for payers who sign for themselves; a job makes new ones",
  },
  payment: {
    from: "both",
    how: "from the archive, each voucher's signature checked; which transfer reserved or claimed it follows from the chain",
    rows: {
      key: ["id"],
      omit: ["transfer_id"],
      links: { channel: "channel" },
      where: currentChannel("t.channel"),
    },
  },
  payment_party: {
    from: "both",
    how: "noted with a channel's first payment; the order is another one",
    rows: { key: ["role", "address"], omit: ["number"], ...run },
  },
  proposal: { from: "chain", key: ["proposal_id"], omit: ["id"], ...run, where: "NOT t.is_taken_back" },
  proposal_approval: { from: "chain", key: ["treasury", "proposal_id", "owner"], ...run },
  proposal_signature: { from: "archive", key: ["proposal_id", "owner"], ...run },
  seen_request: {
    from: "nothing",
    why: "signed requests are remembered for the minutes in which they are taken",
  },
  society: { from: "archive", key: ["id"] },
  solvency_leaf: {
    from: "nothing",
    why: "trees of past reports are forgotten anyway, and their salts are their owners' alone",
  },
  solvency_level: { from: "nothing", why: "trees of past reports are forgotten anyway" },
  solvency_report: {
    from: "archive",
    key: ["snapshot_id", "unit"],
    where:
      "EXISTS (SELECT FROM solvency_snapshot s JOIN chain_run r ON r.id = s.run_id AND r.ended_at IS NULL WHERE s.id = t.snapshot_id)",
  },
  solvency_snapshot: { from: "archive", key: ["id"], ...run },
  ticket_draw: { from: "archive", key: ["ticket_id", "ordinal"] },
  transfer: {
    from: "both",
    how: "what moves the chain's mirror from the chain and the vouchers, in other steps than at first; the rest from the archive",
    rows: ownTransfers,
  },
  treasury: {
    from: "both",
    how: "created ones from the chain; that one was adopted from the archive, and its past from the chain",
    rows: { key: ["chain_id", "address"], omit: ["added_at"], ...run },
  },
  treasury_budget: { from: "chain", key: ["treasury", "spender", "token"], ...run },
  treasury_call: { from: "chain", key: ["treasury", "spender", "reference"], ...run },
  treasury_delay: {
    from: "chain",
    key: ["treasury", "spender", "token", "set_at", "transaction_hash"],
    ...run,
  },
  treasury_nonce: { from: "chain", key: ["treasury", "nonce"], ...run },
  treasury_payment: { from: "chain", key: ["treasury", "spender", "reference"], ...run },
  work_ticket: { from: "archive", key: ["id"], links: { hold_id: "transfer" } },
  x402_channel: { from: "archive", key: ["channel_id"], ...run },
  x402_sale: { from: "archive", key: ["payment"], ...run },
  x402_settlement: {
    from: "nothing",
    why: "belongs to the sender's queue; a payment that is settled again is refused by the token, whose nonce is used",
  },
};

/** The tables that are archived as they stand, each after those that it refers to. */
export const archivedTables = [
  "agent",
  "society",
  "adp_issue",
  "energy_source",
  "capacity_proof",
  "energy_lot",
  "work_ticket",
  "ticket_draw",
  "footprint",
  "footprint_sum",
  "ledger_fee",
  "ledger_schedule",
  "ledger_schedule_run",
  "batch_refusal",
  "clearing_payee",
  "clearing_credited",
  "clearing_row",
  "proposal_signature",
  "solvency_snapshot",
  "solvency_report",
  "x402_channel",
  "x402_sale",
] as const;

function currentChannel(id: string): string {
  return `EXISTS (SELECT FROM channel k JOIN chain_run r ON r.id = k.run_id AND r.ended_at IS NULL WHERE k.id = ${id})`;
}

/** SQL of a channel's id on the chain, and of a transfer's key, for a row's column. */
export const meaningOf: Readonly<Record<Link, (column: string) => string>> = {
  channel: (column) =>
    `(SELECT '0x' || encode(k.channel_id, 'hex') FROM channel k WHERE k.id = ${column}::bigint)`,
  transfer: (column) => `(SELECT k.key FROM transfer k WHERE k.id = ${column}::bigint)`,
};

/** SQL of a row `t` as JSON without what another database numbers otherwise. */
export const stableRow = (rows: Rows): string =>
  Object.entries(rows.links ?? {}).reduce(
    (json, [column, link]) => `${json} || jsonb_build_object('${column}', ${meaningOf[link](`t.${column}`)})`,
    `(to_jsonb(t) - '{${["run_id", ...(rows.omit ?? [])].join(",")}}'::text[])`,
  );

/** SQL of the key and the row of each row that counts; null: nothing is compared. */
export function comparedRows(table: string, origin: Origin): string | null {
  if (origin.from === "nothing") return null;
  const rows = origin.from === "both" ? origin.rows : origin;
  if (rows === null || typeof rows === "string") return rows;
  const key = rows.key.map((column) => `coalesce(j.row->>'${column}', '')`);
  const chain = rows.isOfRun ? ["r.chain_id::text"] : [];
  return `SELECT concat_ws(' ', ${[...chain, ...key].join(", ") || "''"}) AS key, j.row
    FROM ${table} t ${rows.isOfRun ? "JOIN chain_run r ON r.id = t.run_id AND r.ended_at IS NULL" : ""}
    CROSS JOIN LATERAL (SELECT ${stableRow(rows)} AS row) j ${rows.where ? `WHERE ${rows.where}` : ""}`;
}

-- The ledger as a journal. A transfer is a request that never changes; a journal entry, one row with its debit and its
-- credit, is what became of it. Both are only ever added, so a group of thousands is written by plain inserts.

-- ── Accounts ────────────────────────────────────────────────────────────────────────────────────────────────────────
ALTER TABLE account ALTER COLUMN id DROP IDENTITY;
ALTER TABLE account
  -- Reserved for this account by pending credits.
  ADD COLUMN incoming          numeric(38,0) NOT NULL DEFAULT 0,
  -- How many journal entries moved it; the number of its last one.
  ADD COLUMN entries           bigint        NOT NULL DEFAULT 0,
  ADD COLUMN opened_at         bigint        NOT NULL DEFAULT 0,
  -- Spending limits, base units; null: none.
  ADD COLUMN limit_transaction numeric(38,0) CHECK (limit_transaction >= 0),
  ADD COLUMN limit_hourly      numeric(38,0) CHECK (limit_hourly >= 0),
  ADD COLUMN limit_daily       numeric(38,0) CHECK (limit_daily >= 0),
  ADD COLUMN limit_weekly      numeric(38,0) CHECK (limit_weekly >= 0),
  ADD COLUMN limit_monthly     numeric(38,0) CHECK (limit_monthly >= 0),
  -- Spent in the hour, day, week and month (UTC) that `charged_at` lies in.
  ADD COLUMN spent_hourly      numeric(38,0) NOT NULL DEFAULT 0,
  ADD COLUMN spent_daily       numeric(38,0) NOT NULL DEFAULT 0,
  ADD COLUMN spent_weekly      numeric(38,0) NOT NULL DEFAULT 0,
  ADD COLUMN spent_monthly     numeric(38,0) NOT NULL DEFAULT 0,
  ADD COLUMN charged_at        bigint        NOT NULL DEFAULT 0;
UPDATE account a SET
  incoming = coalesce((SELECT sum(amount) FROM transfer WHERE state = 'pending' AND credit = a.id), 0),
  entries  = (SELECT count(*) FROM entry WHERE account = a.id),
  opened_at = coalesce((SELECT min(created_at) FROM transfer WHERE a.id IN (debit, credit)), 0);
ALTER TABLE account ADD CONSTRAINT account_incoming CHECK (incoming >= 0);

-- ── The journal ─────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE journal (
  -- The transfer that it resolves: at most once.
  transfer_id    bigint PRIMARY KEY,
  unit           text   NOT NULL,
  -- Rises by one with every entry of the unit.
  height         bigint NOT NULL,
  debit          bigint NOT NULL,
  credit         bigint NOT NULL,
  -- What moved; zero when the transfer was voided.
  amount         numeric(38,0) NOT NULL CHECK (amount >= 0),
  -- The entry's number among those of the account, and the account's balance after it; null when nothing moved.
  debit_entry    bigint,
  debit_balance  numeric(38,0),
  credit_entry   bigint,
  credit_balance numeric(38,0),
  resolved_at    bigint NOT NULL,
  -- SHA-256 over the hash before it in the unit and this entry's facts: see journal_hash().
  hash           bytea  NOT NULL,
  CHECK (debit <> credit),
  CHECK ((amount > 0) = (debit_entry IS NOT NULL AND debit_balance IS NOT NULL
                     AND credit_entry IS NOT NULL AND credit_balance IS NOT NULL))
);
CREATE UNIQUE INDEX journal_debit ON journal (debit, debit_entry);
CREATE UNIQUE INDEX journal_credit ON journal (credit, credit_entry);
-- Rows lie in the order of their heights, so a few bytes per range find them.
CREATE INDEX journal_height ON journal USING brin (height) WITH (pages_per_range = 32, autosummarize = on);

-- The newest height and hash of every unit.
CREATE TABLE journal_head (
  unit   text   PRIMARY KEY,
  height bigint NOT NULL,
  hash   bytea  NOT NULL
);

-- Each column of free text with its length before it, so that no two texts read alike.
CREATE FUNCTION journal_text(value text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(octet_length(value) || ':' || value, '-')
$$;

-- An entry's hash. `previous` is 32 zero bytes for the first of a unit.
CREATE FUNCTION journal_hash(previous bytea, j journal, created_at bigint, reference text, memo text, metadata text)
RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
  SELECT sha256(convert_to(
    encode(previous, 'hex') || '|' || j.unit || '|' || j.height || '|' || j.transfer_id || '|' || j.debit || '|' || j.credit
    || '|' || j.amount || '|' || coalesce(j.debit_entry::text, '') || '|' || coalesce(j.debit_balance::text, '')
    || '|' || coalesce(j.credit_entry::text, '') || '|' || coalesce(j.credit_balance::text, '')
    || '|' || j.resolved_at || '|' || created_at
    || '|' || journal_text(reference) || journal_text(memo) || journal_text(metadata), 'UTF8'))
$$;

-- ── Idempotency keys ────────────────────────────────────────────────────────────────────────────────────────────────
-- Each is remembered as the first half of its SHA-256, which keeps the index small, for as long as is configured.
CREATE TABLE ledger_key (
  digest      uuid   PRIMARY KEY,
  -- The first half of the SHA-256 of the request that it stood for.
  request     uuid   NOT NULL,
  transfer_id bigint NOT NULL,
  used_at     bigint NOT NULL
);

CREATE FUNCTION half_digest(value text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT encode(substring(sha256(convert_to(value, 'UTF8')) FROM 1 FOR 16), 'hex')::uuid
$$;

-- ── What the books were before ──────────────────────────────────────────────────────────────────────────────────────
ALTER TABLE transfer ADD COLUMN metadata text, ADD COLUMN unit text;

INSERT INTO ledger_key (digest, request, transfer_id, used_at)
SELECT half_digest(t.key),
       half_digest(
         CASE WHEN t.state = 'posted' AND NOT EXISTS (SELECT FROM resolution r WHERE r.transfer_id = t.id)
              THEN 'transfer' ELSE 'hold' END
         || '|' || d.name || '|' || c.name || '|' || d.unit || '|' || t.amount || '|' || coalesce(t.expires_at::text, '')
         || '||' || journal_text(t.reference) || journal_text(t.memo) || journal_text(NULL)),
       t.id, t.created_at
FROM transfer t JOIN account d ON d.id = t.debit JOIN account c ON c.id = t.credit;
INSERT INTO ledger_key (digest, request, transfer_id, used_at)
SELECT half_digest(r.key),
       half_digest(CASE WHEN t.state = 'posted'
         THEN 'post|' || t.id || '|' || CASE WHEN t.posted_amount = t.amount THEN '' ELSE t.posted_amount::text END
         ELSE 'void|' || t.id END),
       t.id, t.resolved_at
FROM resolution r JOIN transfer t ON t.id = r.transfer_id
ON CONFLICT DO NOTHING;

DO $$
DECLARE
  past record;
  j journal;
  head journal_head;
BEGIN
  FOR past IN
    SELECT t.*, a.unit AS in_unit, n.debit_entry, n.debit_balance, n.credit_entry, n.credit_balance, n.entry_id
    FROM transfer t JOIN account a ON a.id = t.debit
    LEFT JOIN (
      SELECT transfer_id, min(id) AS entry_id,
             min(nr) FILTER (WHERE amount < 0) AS debit_entry, min(balance_after) FILTER (WHERE amount < 0) AS debit_balance,
             min(nr) FILTER (WHERE amount > 0) AS credit_entry, min(balance_after) FILTER (WHERE amount > 0) AS credit_balance
      FROM (SELECT *, row_number() OVER (PARTITION BY account ORDER BY id) AS nr FROM entry) e GROUP BY transfer_id
    ) n ON n.transfer_id = t.id
    WHERE t.state <> 'pending' ORDER BY t.resolved_at, n.entry_id NULLS FIRST, t.id
  LOOP
    SELECT * INTO head FROM journal_head WHERE unit = past.in_unit;
    j := ROW(past.id, past.in_unit, coalesce(head.height, 0) + 1, past.debit, past.credit, coalesce(past.posted_amount, 0),
             past.debit_entry, past.debit_balance, past.credit_entry, past.credit_balance, past.resolved_at, NULL);
    j.hash := journal_hash(coalesce(head.hash, decode(repeat('00', 32), 'hex')), j, past.created_at, past.reference, past.memo, NULL);
    INSERT INTO journal SELECT j.*;
    INSERT INTO journal_head VALUES (j.unit, j.height, j.hash)
    ON CONFLICT (unit) DO UPDATE SET height = excluded.height, hash = excluded.hash;
  END LOOP;
END $$;

UPDATE transfer t SET unit = a.unit FROM account a WHERE a.id = t.debit;

-- ── Transfers ───────────────────────────────────────────────────────────────────────────────────────────────────────
ALTER TABLE transfer ALTER COLUMN id DROP IDENTITY;
ALTER TABLE transfer DROP CONSTRAINT transfer_key_key;
ALTER TABLE transfer
  DROP COLUMN state, DROP COLUMN posted_amount, DROP COLUMN resolved_at, DROP COLUMN request_hash,
  ALTER COLUMN unit SET NOT NULL,
  -- What is charged beside the amount; the transfer that carries it is the one with the next id.
  ADD COLUMN fee      numeric(38,0) CHECK (fee > 0),
  -- The transfer whose fee this is; it shares that one's fate.
  ADD COLUMN fee_of   bigint,
  -- The posted transfer that this one takes back, in whole or in part.
  ADD COLUMN reverses bigint;
ALTER TABLE transfer SET (fillfactor = 100);
CREATE INDEX transfer_reverses ON transfer (reverses) WHERE reverses IS NOT NULL;

DROP TABLE entry;
DROP TABLE resolution;
DROP FUNCTION entry_balanced;
DROP FUNCTION entry_append_only;

-- An account's entries, its debits below zero: both sides of the journal under each other.
CREATE VIEW entry AS
  SELECT debit AS account, debit_entry AS number, transfer_id, credit AS counterparty, -amount AS amount,
         debit_balance AS balance_after, resolved_at AS posted_at FROM journal WHERE debit_entry IS NOT NULL
  UNION ALL
  SELECT credit, credit_entry, transfer_id, debit, amount, credit_balance, resolved_at FROM journal WHERE credit_entry IS NOT NULL;

-- ── One order of writes ─────────────────────────────────────────────────────────────────────────────────────────────
-- Every write of the ledger continues a version and makes the next one. A writer that finds the version it left knows
-- that nobody wrote since, so what it remembers still stands.
CREATE TABLE ledger_head (
  id            boolean PRIMARY KEY DEFAULT true CHECK (id),
  version       bigint NOT NULL,
  last_transfer bigint NOT NULL,
  last_account  bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO ledger_head (version, last_transfer, last_account)
VALUES (1, (SELECT coalesce(max(id), 0) FROM transfer), (SELECT coalesce(max(id), 0) FROM account));

-- Takes the ledger for the rest of the transaction: whoever decides on what the tables say, rather than on what it
-- remembers, calls this first. Waits for the groups that are being written; those that come later wait for it.
CREATE FUNCTION ledger_take() RETURNS ledger_head LANGUAGE plpgsql AS $$
DECLARE
  head ledger_head;
BEGIN
  PERFORM pg_advisory_xact_lock(1651864434);
  SELECT * INTO head FROM ledger_head FOR UPDATE;
  RETURN head;
END $$;

-- Writes a group that was decided on the books as of version `expected`: all of it, or, if somebody else wrote since, none.
-- Two groups may be on their way: the later one writes its rows while the earlier one finishes, then waits for it.
-- Arrays are columns; an empty one stands for a column of nulls, an empty array of units for the one unit `in_unit`.
CREATE FUNCTION ledger_write(
  expected bigint, new_transfer bigint, new_account bigint, now_ms bigint, in_unit text,
  head_unit text[], head_height bigint[], head_hash bytea[],
  o_id bigint[], o_name text[], o_unit text[], o_external boolean[],
  a_id bigint[], a_balance numeric[], a_pending numeric[], a_incoming numeric[], a_entries bigint[],
  a_hourly numeric[], a_daily numeric[], a_weekly numeric[], a_monthly numeric[], a_charged bigint[],
  k_digest uuid[], k_request uuid[], k_transfer bigint[],
  t_id bigint[], t_key text[], t_unit text[], t_debit bigint[], t_credit bigint[], t_amount numeric[],
  t_expires bigint[], t_reference text[], t_memo text[], t_metadata text[], t_fee numeric[], t_fee_of bigint[], t_reverses bigint[],
  j_transfer bigint[], j_unit text[], j_height bigint[], j_debit bigint[], j_credit bigint[], j_amount numeric[],
  j_debit_entry bigint[], j_debit_balance numeric[], j_credit_entry bigint[], j_credit_balance numeric[], j_hash bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(1651864434);
  PERFORM pg_advisory_xact_lock(1651864435, (expected & 2147483647)::int);
  IF in_unit IS NOT NULL THEN
    t_unit := array_fill(in_unit, ARRAY[cardinality(t_id)]);
    j_unit := array_fill(in_unit, ARRAY[cardinality(j_transfer)]);
  END IF;
  INSERT INTO ledger_key (digest, request, transfer_id, used_at)
    SELECT unnest(k_digest), unnest(k_request), unnest(k_transfer), now_ms;
  IF cardinality(t_id) > 0 THEN
    INSERT INTO transfer (id, key, unit, debit, credit, amount, created_at, expires_at, reference, memo, metadata, fee,
                          fee_of, reverses)
      SELECT unnest(t_id), unnest(t_key), unnest(t_unit), unnest(t_debit), unnest(t_credit),
             unnest(t_amount), now_ms, unnest(t_expires), unnest(t_reference), unnest(t_memo), unnest(t_metadata),
             unnest(t_fee), unnest(t_fee_of), unnest(t_reverses);
  END IF;
  IF cardinality(j_transfer) > 0 THEN
    INSERT INTO journal (transfer_id, unit, height, debit, credit, amount, debit_entry, debit_balance, credit_entry,
                         credit_balance, resolved_at, hash)
      SELECT unnest(j_transfer), unnest(j_unit), unnest(j_height), unnest(j_debit), unnest(j_credit),
             unnest(j_amount), unnest(j_debit_entry), unnest(j_debit_balance), unnest(j_credit_entry),
             unnest(j_credit_balance), now_ms, unnest(j_hash);
  END IF;

  -- From here on the versions follow each other.
  PERFORM pg_advisory_xact_lock(1651864435, ((expected - 1) & 2147483647)::int);
  UPDATE ledger_head SET version = version + 1, last_transfer = new_transfer, last_account = new_account
  WHERE version = expected;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the ledger is not at version % any more', expected USING ERRCODE = 'LG001';
  END IF;
  IF cardinality(o_id) > 0 THEN
    INSERT INTO account (id, name, unit, external, opened_at)
      SELECT unnest(o_id), unnest(o_name), unnest(o_unit), unnest(o_external), now_ms;
  END IF;
  IF cardinality(a_id) > 0 THEN
    UPDATE account SET balance = n.balance, pending = n.pending, incoming = n.incoming, entries = n.entries,
      spent_hourly = n.hourly, spent_daily = n.daily, spent_weekly = n.weekly, spent_monthly = n.monthly, charged_at = n.charged
    FROM unnest(a_id, a_balance, a_pending, a_incoming, a_entries, a_hourly, a_daily, a_weekly, a_monthly, a_charged)
      AS n(id, balance, pending, incoming, entries, hourly, daily, weekly, monthly, charged)
    WHERE account.id = n.id;
  END IF;
  IF cardinality(head_unit) > 0 THEN
    INSERT INTO journal_head (unit, height, hash) SELECT unnest(head_unit), unnest(head_height), unnest(head_hash)
    ON CONFLICT (unit) DO UPDATE SET height = excluded.height, hash = excluded.hash;
  END IF;
END $$;

-- ── What nobody may do ──────────────────────────────────────────────────────────────────────────────────────────────
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: take a transfer back by another', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER journal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER transfer_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transfer
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- The sum over all accounts of a unit is zero after every statement, because every statement changes it by zero.
CREATE FUNCTION account_sums() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  off text;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    SELECT unit INTO off FROM (SELECT unit, balance FROM added UNION ALL SELECT unit, -balance FROM removed) c
    GROUP BY unit HAVING sum(balance) <> 0 LIMIT 1;
  ELSIF TG_OP = 'INSERT' THEN
    SELECT unit INTO off FROM added WHERE balance <> 0 GROUP BY unit HAVING sum(balance) <> 0 LIMIT 1;
  ELSE
    SELECT unit INTO off FROM removed WHERE balance <> 0 GROUP BY unit HAVING sum(balance) <> 0 LIMIT 1;
  END IF;
  IF off IS NOT NULL THEN
    RAISE EXCEPTION 'the accounts in % would not sum to zero', off USING ERRCODE = 'check_violation', CONSTRAINT = 'account_sums';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER account_sums_update AFTER UPDATE ON account REFERENCING OLD TABLE AS removed NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION account_sums();
CREATE TRIGGER account_sums_insert AFTER INSERT ON account REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION account_sums();
CREATE TRIGGER account_sums_delete AFTER DELETE ON account REFERENCING OLD TABLE AS removed
  FOR EACH STATEMENT EXECUTE FUNCTION account_sums();

-- Suspensions and limits are remembered by those who write, so a change of them is a new version of the ledger.
CREATE FUNCTION ledger_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE ledger_head SET version = version + 1;
  RETURN NULL;
END $$;
CREATE TRIGGER account_rules AFTER UPDATE OF suspended_at, limit_transaction, limit_hourly, limit_daily, limit_weekly, limit_monthly
  ON account FOR EACH STATEMENT EXECUTE FUNCTION ledger_changed();

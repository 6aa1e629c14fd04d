-- The double-entry ledger as a journal. Amounts are base units; a balance is credits minus debits that are posted.
-- A transfer is a request that never changes; a journal entry, one row with its debit and its credit, is what became of
-- it. Both are only ever added, so a group of thousands is written by plain inserts.

-- ── Accounts ────────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE account (
  id                bigint PRIMARY KEY,
  name              text NOT NULL,
  unit              text NOT NULL,
  -- Stands for the world outside the ledger and may owe.
  external          boolean NOT NULL,
  balance           numeric(38,0) NOT NULL DEFAULT 0,
  -- Reserved by pending debits.
  pending           numeric(38,0) NOT NULL DEFAULT 0,
  suspended_at      bigint,
  -- Reserved for this account by pending credits.
  incoming          numeric(38,0) NOT NULL DEFAULT 0,
  -- How many journal entries moved it; the number of its last one.
  entries           bigint        NOT NULL DEFAULT 0,
  opened_at         bigint        NOT NULL DEFAULT 0,
  -- Spending limits, base units; null: none.
  limit_transaction numeric(38,0) CHECK (limit_transaction >= 0),
  limit_hourly      numeric(38,0) CHECK (limit_hourly >= 0),
  limit_daily       numeric(38,0) CHECK (limit_daily >= 0),
  limit_weekly      numeric(38,0) CHECK (limit_weekly >= 0),
  limit_monthly     numeric(38,0) CHECK (limit_monthly >= 0),
  -- Spent in the hour, day, week and month (UTC) that `charged_at` lies in.
  spent_hourly      numeric(38,0) NOT NULL DEFAULT 0,
  spent_daily       numeric(38,0) NOT NULL DEFAULT 0,
  spent_weekly      numeric(38,0) NOT NULL DEFAULT 0,
  spent_monthly     numeric(38,0) NOT NULL DEFAULT 0,
  charged_at        bigint        NOT NULL DEFAULT 0,
  UNIQUE (name, unit),
  CONSTRAINT account_pending CHECK (pending >= 0),
  CONSTRAINT account_incoming CHECK (incoming >= 0),
  CONSTRAINT account_covered CHECK (external OR balance >= pending)
) WITH (fillfactor = 20);

-- ── Transfers ───────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE transfer (
  id         bigint PRIMARY KEY,
  key        text   NOT NULL,
  debit      bigint NOT NULL,
  credit     bigint NOT NULL,
  amount     numeric(38,0) NOT NULL CHECK (amount > 0),
  reference  text,
  memo       text,
  created_at bigint NOT NULL,
  expires_at bigint,
  metadata   text,
  unit       text   NOT NULL,
  -- What is charged beside the amount; the transfer that carries it is the one with the next id.
  fee        numeric(38,0) CHECK (fee > 0),
  -- The transfer whose fee this is; it shares that one's fate.
  fee_of     bigint,
  -- The posted transfer that this one takes back, in whole or in part.
  reverses   bigint,
  CHECK (debit <> credit)
) WITH (fillfactor = 100);
CREATE INDEX transfer_reverses ON transfer (reverses) WHERE reverses IS NOT NULL;

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
INSERT INTO ledger_head (version, last_transfer, last_account) VALUES (1, 0, 0);

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
-- A group whose version has passed is refused before any of its rows is written: written, they would meet the rows of
-- whoever took the version, and wait for them or be refused for their keys.
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
  -- Seen now, a passed version keeps these rows from meeting those of whoever took it.
  IF (SELECT version > expected FROM ledger_head) THEN
    RAISE EXCEPTION 'the ledger is beyond version %', expected USING ERRCODE = 'LG001';
  END IF;
  IF in_unit IS NOT NULL THEN
    t_unit := array_fill(in_unit, ARRAY[cardinality(t_id)]);
    j_unit := array_fill(in_unit, ARRAY[cardinality(j_transfer)]);
  END IF;
  INSERT INTO ledger_key (digest, request, transfer_id, used_at)
    SELECT digest, request, id, now_ms FROM unnest(k_digest, k_request, k_transfer) AS k(digest, request, id)
    -- Neighbours in the index are written together.
    ORDER BY digest;
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

-- ── Rules ───────────────────────────────────────────────────────────────────────────────────────────────────────────
-- Holds that outlived the moment: filled from the journal's order behind the writers' backs, so that the hot path writes
-- nothing here. What is younger than `noted_transfer` is found by its id.
CREATE TABLE open_hold (
  transfer_id bigint PRIMARY KEY,
  debit       bigint NOT NULL,
  credit      bigint NOT NULL,
  expires_at  bigint
);
CREATE INDEX open_hold_debit ON open_hold (debit, transfer_id);
CREATE INDEX open_hold_credit ON open_hold (credit, transfer_id);
CREATE INDEX open_hold_expiring ON open_hold (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE open_hold_head (
  id             boolean PRIMARY KEY DEFAULT true CHECK (id),
  noted_transfer bigint NOT NULL
);
INSERT INTO open_hold_head (noted_transfer) VALUES (0);

-- What a transfer between agents costs, and how small and large it may be. Base units; fees go to treasury:system.
CREATE TABLE ledger_fee (
  unit       text PRIMARY KEY,
  fixed      numeric(38,0) NOT NULL DEFAULT 0 CHECK (fixed >= 0),
  rate_bps   integer       NOT NULL DEFAULT 0 CHECK (rate_bps BETWEEN 0 AND 10000),
  minimum    numeric(38,0) NOT NULL DEFAULT 1 CHECK (minimum > 0),
  maximum    numeric(38,0) CHECK (maximum >= minimum),
  updated_at bigint NOT NULL
);
-- The token's terms as its specification gives them: at least 0.01 AVT, for 0.001 AVT.
INSERT INTO ledger_fee (unit, fixed, minimum, updated_at) VALUES ('AVT', 1000000000000000, 10000000000000000, 0);

-- Transfers to come: once, or again and again.
CREATE TABLE ledger_schedule (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  owner        text   NOT NULL,
  key          text   NOT NULL,
  request      uuid   NOT NULL,
  debit        text   NOT NULL,
  credit       text   NOT NULL,
  unit         text   NOT NULL,
  amount       numeric(38,0) NOT NULL CHECK (amount > 0),
  reference    text,
  memo         text,
  -- Null: once.
  every_ms     bigint CHECK (every_ms > 0),
  runs_max     integer NOT NULL CHECK (runs_max > 0),
  runs         integer NOT NULL DEFAULT 0,
  next_at      bigint NOT NULL,
  state        text   NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'done', 'cancelled')),
  created_at   bigint NOT NULL,
  UNIQUE (owner, key)
);
CREATE INDEX ledger_schedule_due ON ledger_schedule (next_at) WHERE state = 'active';
-- One row for every time that a schedule came due, with what became of it.
CREATE TABLE ledger_schedule_run (
  schedule_id bigint  NOT NULL,
  run         integer NOT NULL,
  due_at      bigint  NOT NULL,
  ran_at      bigint  NOT NULL,
  transfer_id bigint,
  error_code  text,
  PRIMARY KEY (schedule_id, run)
);

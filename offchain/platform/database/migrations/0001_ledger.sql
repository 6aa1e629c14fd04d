-- The double-entry ledger. Amounts are base units; a balance is credits minus debits that are posted.
CREATE TABLE account (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name         text NOT NULL,
  unit         text NOT NULL,
  -- Stands for the world outside the ledger and may owe.
  external     boolean NOT NULL,
  balance      numeric(38,0) NOT NULL DEFAULT 0,
  -- Reserved by pending debits.
  pending      numeric(38,0) NOT NULL DEFAULT 0,
  suspended_at bigint,
  UNIQUE (name, unit),
  CONSTRAINT account_pending CHECK (pending >= 0),
  CONSTRAINT account_covered CHECK (external OR balance >= pending)
) WITH (fillfactor = 20);

CREATE TABLE transfer (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  key           text   NOT NULL UNIQUE,
  request_hash  bytea  NOT NULL,
  debit         bigint NOT NULL,
  credit        bigint NOT NULL,
  amount        numeric(38,0) NOT NULL CHECK (amount > 0),
  state         text   NOT NULL CHECK (state IN ('pending', 'posted', 'voided')),
  posted_amount numeric(38,0),
  reference     text,
  memo          text,
  created_at    bigint NOT NULL,
  expires_at    bigint,
  resolved_at   bigint,
  CHECK (debit <> credit),
  CHECK ((state = 'posted') = (posted_amount IS NOT NULL)),
  CHECK (posted_amount IS NULL OR (posted_amount > 0 AND posted_amount <= amount)),
  CHECK ((state = 'pending') = (resolved_at IS NULL))
) WITH (fillfactor = 60);
CREATE INDEX transfer_pending_credit ON transfer (credit) WHERE state = 'pending';
CREATE INDEX transfer_pending_debit ON transfer (debit) WHERE state = 'pending';
CREATE INDEX transfer_expiring ON transfer (expires_at) WHERE state = 'pending' AND expires_at IS NOT NULL;

-- Idempotency keys of posts and voids; a transfer's own key stands in its row.
CREATE TABLE resolution (
  key          text   PRIMARY KEY,
  request_hash bytea  NOT NULL,
  transfer_id  bigint NOT NULL
);

CREATE TABLE entry (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  transfer_id   bigint NOT NULL,
  account       bigint NOT NULL,
  -- Credits above zero, debits below.
  amount        numeric(38,0) NOT NULL CHECK (amount <> 0),
  balance_after numeric(38,0) NOT NULL,
  posted_at     bigint NOT NULL
);
CREATE INDEX entry_account ON entry (account, id);
CREATE INDEX entry_transfer ON entry (transfer_id);

-- Every transfer's entries sum to zero, in one unit: enforced here, not hoped for.
CREATE FUNCTION entry_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM added e LEFT JOIN account a ON a.id = e.account
    GROUP BY e.transfer_id HAVING sum(e.amount) <> 0 OR count(DISTINCT a.unit) <> 1 OR bool_or(a.id IS NULL)
  ) THEN
    RAISE EXCEPTION 'entries of a transfer do not sum to zero in one unit' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER entry_balanced AFTER INSERT ON entry
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION entry_balanced();

CREATE FUNCTION entry_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'entries are append-only: reverse a transfer by another' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entry
  FOR EACH STATEMENT EXECUTE FUNCTION entry_append_only();

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

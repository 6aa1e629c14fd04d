-- Payees are credited on the chain, epoch by epoch: an epoch has what changed alone. What of `credited` is in an epoch
-- that is not void, or was demanded, is assigned; more than was credited when a demand and a row crossed on their way.
ALTER TABLE clearing_payee ADD COLUMN assigned numeric(38,0) NOT NULL DEFAULT 0 CHECK (assigned >= 0);

-- What the last root of the contract before this one promised, that contract pays.
UPDATE clearing_payee p SET assigned = r.amount
FROM (
  SELECT run_id, substring(rows FROM 32 * place + 1 FOR 20) AS payee,
         ('x' || encode(substring(rows FROM 32 * place + 21 FOR 4), 'hex'))::bit(32)::bigint * 18446744073709551616
       + ('x' || encode(substring(rows FROM 32 * place + 25 FOR 4), 'hex'))::bit(32)::bigint * 4294967296::numeric
       + ('x' || encode(substring(rows FROM 32 * place + 29 FOR 4), 'hex'))::bit(32)::bigint AS amount
  FROM (SELECT DISTINCT ON (run_id) run_id, rows FROM clearing_root
        WHERE state = 'posted' AND rows IS NOT NULL ORDER BY run_id, number DESC) last
  CROSS JOIN LATERAL generate_series(0, octet_length(rows) / 32 - 1) AS place
) r
WHERE p.run_id = r.run_id AND p.payee = r.payee;

DROP TABLE clearing_challenge;
DROP TABLE clearing_root;
ALTER TABLE clearing_payout DROP COLUMN root_number;
UPDATE chain_transaction SET purpose = 'clearing.epoch' WHERE purpose = 'clearing.root';
UPDATE clearing_credited SET waits_since = coalesce(waits_since, 0);

-- A pass of clearing costs what is due, and never all payees.
CREATE INDEX clearing_payee_due ON clearing_payee (run_id, (credited - assigned)) WHERE credited > assigned;

-- The epochs of Clearing. One is cut first: its rows are fixed while no payment is being booked, so every receipt up to its
-- number is in it. It is filled when all that it promises has been claimed.
CREATE TABLE clearing_epoch (
  run_id         bigint  NOT NULL,
  number         integer NOT NULL CHECK (number > 0),
  -- How many rows it has; null: another database filled it, and they are not known here.
  payees         integer,
  total          numeric(38,0) NOT NULL,
  cut_at         bigint  NOT NULL,
  -- Its newest call, and how many rows the chain has after it; or it gives the epoch up.
  transaction_id bigint,
  call_to        integer NOT NULL DEFAULT 0,
  is_given_up    boolean NOT NULL DEFAULT false,
  attempts       integer NOT NULL DEFAULT 0,
  failures       integer NOT NULL DEFAULT 0,
  -- The block's time.
  sealed_at      bigint,
  is_void        boolean NOT NULL DEFAULT false,
  -- Of how many rows the payees were paid, and which ones the newest payout pays.
  paid_rows      integer NOT NULL DEFAULT 0,
  payout_from    integer NOT NULL DEFAULT 0,
  payout_to      integer NOT NULL DEFAULT 0,
  payout_transaction_id bigint,
  payout_attempts integer NOT NULL DEFAULT 0,
  payout_failures integer NOT NULL DEFAULT 0,
  paid_at        bigint,
  PRIMARY KEY (run_id, number)
);

-- What an epoch adds to each payee's credit. A row has its place in the epoch once it is in a call.
CREATE TABLE clearing_row (
  run_id bigint  NOT NULL,
  number integer NOT NULL,
  payee  bytea   NOT NULL,
  amount numeric(38,0) NOT NULL CHECK (amount >= 0),
  place  integer,
  PRIMARY KEY (run_id, number, payee)
);
CREATE UNIQUE INDEX clearing_row_place ON clearing_row (run_id, number, place);

-- How many rows an epoch had on the chain after each call, and their sum.
CREATE TABLE clearing_fill (
  run_id bigint  NOT NULL,
  number integer NOT NULL,
  rows   integer NOT NULL,
  total  numeric(38,0) NOT NULL,
  PRIMARY KEY (run_id, number, rows)
);

-- A receipt that was not honoured in time. What of the demand came from the payee's row of an epoch that was not complete
-- is kept, so that a reorganisation gives exactly that back.
CREATE TABLE clearing_demand (
  run_id       bigint  NOT NULL,
  block_hash   bytea   NOT NULL,
  log_index    integer NOT NULL,
  block_number bigint  NOT NULL,
  payee        bytea   NOT NULL,
  amount       numeric(38,0) NOT NULL,
  number       integer,
  taken        numeric(38,0) NOT NULL,
  PRIMARY KEY (run_id, block_hash, log_index)
);
CREATE INDEX clearing_demand_block ON clearing_demand (run_id, block_number);

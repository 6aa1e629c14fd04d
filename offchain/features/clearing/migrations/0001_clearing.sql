-- All that a payee was ever credited, in USDC base units, in one life of the chain. Only grows.
CREATE TABLE clearing_payee (
  epoch_id    bigint NOT NULL,
  payee       bytea  NOT NULL,
  credited    numeric(38,0) NOT NULL CHECK (credited > 0),
  credited_at bigint NOT NULL,
  PRIMARY KEY (epoch_id, payee)
);

-- The roots of Clearing. A root is cut first: its rows are fixed while no payment is being booked, so every receipt up
-- to its number is in it. It is posted when all that it promises has been claimed.
CREATE TABLE clearing_root (
  epoch_id       bigint  NOT NULL,
  number         integer NOT NULL CHECK (number > 0),
  state          text    NOT NULL CHECK (state IN ('cut', 'submitted', 'posted', 'void')),
  -- 32 bytes for each payee, ascending: 20 payee, 12 credited. Null for a root that another database posted.
  rows           bytea,
  root           bytea,
  total          numeric(38,0) NOT NULL,
  cut_at         bigint  NOT NULL,
  transaction_id bigint,
  attempts       integer NOT NULL DEFAULT 0,
  -- The block's time.
  posted_at      bigint,
  payout_transaction_id bigint,
  payout_attempts integer NOT NULL DEFAULT 0,
  paid_at        bigint,
  PRIMARY KEY (epoch_id, number)
);

-- A payee's word against a root, which the operator answers with the payee's leaf.
CREATE TABLE clearing_challenge (
  epoch_id       bigint NOT NULL,
  challenge_id   numeric(78,0) NOT NULL,
  root_number    integer NOT NULL,
  payee          bytea  NOT NULL,
  cumulative     numeric(38,0) NOT NULL,
  answer_by      bigint NOT NULL,
  state          text   NOT NULL CHECK (state IN ('open', 'answered', 'won')),
  transaction_id bigint,
  attempts       integer NOT NULL DEFAULT 0,
  PRIMARY KEY (epoch_id, challenge_id)
);

-- How much of a payout the books held, so that a reorganisation takes exactly that back.
CREATE TABLE clearing_payout (
  epoch_id   bigint NOT NULL,
  block_hash bytea  NOT NULL,
  log_index  integer NOT NULL,
  booked     numeric(38,0) NOT NULL,
  PRIMARY KEY (epoch_id, block_hash, log_index)
);

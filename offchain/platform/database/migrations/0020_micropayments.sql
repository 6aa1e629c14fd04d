-- A payment channel of the x402 batch-settlement scheme, once per life of the chain that it is on.
CREATE TABLE channel (
  id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  epoch_id            bigint NOT NULL,
  channel_id          bytea   NOT NULL CHECK (length(channel_id) = 32),
  payer               bytea   NOT NULL,
  payer_authorizer    bytea   NOT NULL,
  receiver            bytea   NOT NULL,
  receiver_authorizer bytea   NOT NULL,
  token               bytea   NOT NULL,
  withdraw_delay      integer NOT NULL,
  salt                bytea   NOT NULL,
  -- The number by which the contract's packed claims name the channel; null until its first deposit is indexed.
  index               integer,
  -- The chain's figures, base units: deposits less refunds and withdrawals; the receiver's part of it.
  balance             numeric(38,0) NOT NULL DEFAULT 0 CHECK (balance >= 0),
  claimed             numeric(38,0) NOT NULL DEFAULT 0 CHECK (claimed >= 0),
  -- The newest accepted voucher's cumulative amount and signature.
  accepted            numeric(38,0) NOT NULL DEFAULT 0,
  voucher_signature   bytea,
  withdrawable_at     bigint,
  opened_at           bigint NOT NULL,
  -- The transaction (of the sender's queue) that carries the first deposit, when the service relayed it.
  transaction_id      bigint,
  UNIQUE (epoch_id, channel_id)
);
CREATE INDEX channel_payer ON channel (payer);
CREATE INDEX channel_receiver ON channel (receiver);
CREATE UNIQUE INDEX channel_index ON channel (epoch_id, index) WHERE index IS NOT NULL;

CREATE TABLE batch (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  epoch_id       bigint NOT NULL,
  state          text    NOT NULL CHECK (state IN ('open', 'closed', 'submitted', 'settled', 'lost')),
  closed_by      text    CHECK (closed_by IN ('size', 'value', 'age', 'forced')),
  payments       integer NOT NULL DEFAULT 0,
  value          numeric(38,0) NOT NULL DEFAULT 0,
  opened_at      bigint  NOT NULL,
  closed_at      bigint,
  settled_at     bigint,
  transaction_id bigint,
  -- How many settlement transactions were tried; part of the sender's idempotency key.
  attempts       integer NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX batch_open ON batch (epoch_id) WHERE state = 'open';
CREATE INDEX batch_unsettled ON batch (id) WHERE state IN ('closed', 'submitted');

-- One accepted voucher. Rows are never changed: whether it is claimed or settled follows from its channel and batch.
CREATE TABLE payment (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  channel      bigint NOT NULL,
  key          text   NOT NULL,
  request_hash bytea  NOT NULL,
  cumulative   numeric(38,0) NOT NULL,
  amount       numeric(38,0) NOT NULL CHECK (amount > 0),
  signature    bytea  NOT NULL,
  batch_id     bigint NOT NULL,
  -- The ledger's pending transfer that reserves it, shared by the payments of one channel that were committed together.
  transfer_id  text   NOT NULL,
  ticket_id    text,
  reference    text,
  accepted_at  bigint NOT NULL,
  UNIQUE (channel, key),
  UNIQUE (channel, cumulative)
);
CREATE INDEX payment_batch ON payment (batch_id);
CREATE UNIQUE INDEX payment_ticket ON payment (ticket_id) WHERE ticket_id IS NOT NULL;

-- What each claim event did to a channel, so that a reorg can take exactly that back.
CREATE TABLE channel_claim (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  channel    bigint NOT NULL,
  block_hash bytea  NOT NULL,
  log_index  integer NOT NULL,
  before     numeric(38,0) NOT NULL,
  after      numeric(38,0) NOT NULL,
  -- The pending transfers that it posted.
  transfers  text[] NOT NULL
);
CREATE INDEX channel_claim_event ON channel_claim (block_hash, log_index);

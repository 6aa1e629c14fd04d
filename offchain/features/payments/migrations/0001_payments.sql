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
  -- Whether the receiver is the Clearing contract: then its payments name any payee, who is credited in the books here.
  is_cleared          boolean NOT NULL DEFAULT false,
  -- The withdrawals that the payer began, oldest first: {at: when it may finish, left: base units}; null: none is pending
  -- any more. `withdrawable_at` follows from the last one. A refund takes from the pending withdrawal, so that an event
  -- can be taken back exactly.
  withdrawals         jsonb NOT NULL DEFAULT '[]',
  UNIQUE (epoch_id, channel_id)
  -- Changes with every group of payments: with room in its pages the old versions are swept without a vacuum.
) WITH (fillfactor = 40);
CREATE INDEX channel_payer ON channel (payer);
CREATE INDEX channel_receiver ON channel (receiver);
CREATE UNIQUE INDEX channel_index ON channel (epoch_id, index) WHERE index IS NOT NULL;
CREATE INDEX channel_withdrawing ON channel (epoch_id) WHERE withdrawable_at IS NOT NULL;
-- Channels without a payer authorizer: the payer signs its vouchers, by its key or by its code (ERC-1271, EIP-7702).
-- Packed claims cannot carry them, and code may change its mind, so each channel is claimed by a transaction of its own.
CREATE INDEX channel_payer_signed ON channel (epoch_id)
  WHERE payer_authorizer = '\x0000000000000000000000000000000000000000';

-- The newest claim that was handed to the sender for such a channel.
CREATE TABLE payer_claim (
  channel        bigint PRIMARY KEY,
  cumulative     numeric(38,0) NOT NULL,
  -- Failed claims of this channel since the last one that succeeded.
  failures       integer NOT NULL DEFAULT 0,
  transaction_id bigint NOT NULL,
  tried_at       bigint NOT NULL
);

-- Channels of the settlement contract in tokens that the ledger has no unit for: known, so that their events are passed
-- over knowingly, and nowhere else, so that nothing takes them for money.
CREATE TABLE foreign_channel (
  epoch_id   bigint NOT NULL,
  channel_id bytea  NOT NULL CHECK (octet_length(channel_id) = 32),
  PRIMARY KEY (epoch_id, channel_id)
);

CREATE TABLE batch (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  epoch_id       bigint NOT NULL,
  state          text    NOT NULL CHECK (state IN ('open', 'closed', 'submitted', 'settled', 'lost')),
  closed_by      text    CHECK (closed_by IN ('size', 'value', 'age', 'forced', 'withdrawal')),
  payments       integer NOT NULL DEFAULT 0,
  value          numeric(38,0) NOT NULL DEFAULT 0,
  opened_at      bigint  NOT NULL,
  closed_at      bigint,
  settled_at     bigint,
  transaction_id bigint,
  -- How many settlement transactions were tried; part of the sender's idempotency key.
  attempts       integer NOT NULL DEFAULT 0,
  -- Somebody asked to have it settled now, whatever it could wait for.
  forced         boolean NOT NULL DEFAULT false,
  -- Each decision that differed from the one before it, oldest first: {action, reason, at, until, gas, energy, cost}.
  decisions      jsonb   NOT NULL DEFAULT '[]',
  -- The transaction whose event claimed the last of it, known with its state `settled` and only then.
  transaction_hash bytea
  -- Changes with every group of payments, as a channel does.
) WITH (fillfactor = 40);
CREATE UNIQUE INDEX batch_open ON batch (epoch_id) WHERE state = 'open';
CREATE INDEX batch_unsettled ON batch (id) WHERE state IN ('closed', 'submitted');
CREATE INDEX batch_pending ON batch (epoch_id, id) WHERE state IN ('open', 'closed');
CREATE INDEX batch_settled_by ON batch (transaction_hash) WHERE transaction_hash IS NOT NULL;

-- Channels whose voucher the contract would not take: left out of their batch, so that the rest of it settles.
CREATE TABLE batch_refusal (
  batch_id    bigint NOT NULL,
  channel     bigint NOT NULL,
  -- The contract's own error.
  reason      text   NOT NULL,
  refused_at  bigint NOT NULL,
  -- How often it was tried in vain, and when it is tried next.
  tries       integer NOT NULL DEFAULT 1,
  next_try_at bigint NOT NULL,
  PRIMARY KEY (batch_id, channel)
);
CREATE INDEX batch_refusal_due ON batch_refusal (next_try_at);

-- One accepted voucher. Rows are never changed: whether it is claimed or settled follows from its channel and batch.
CREATE TABLE payment (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  channel      bigint NOT NULL,
  -- What it was used for is in the other columns: a repetition is compared with them.
  key          text   NOT NULL,
  cumulative   numeric(38,0) NOT NULL,
  amount       numeric(38,0) NOT NULL CHECK (amount > 0),
  signature    bytea  NOT NULL,
  batch_id     bigint NOT NULL,
  -- The ledger's pending transfer that reserves it, shared by the payments of one channel that were committed together.
  transfer_id  text   NOT NULL,
  ticket_id    text,
  reference    text,
  accepted_at  bigint NOT NULL,
  -- For a payment by a cleared channel: whom it pays, all that the payee was ever credited after it, and the first root
  -- that must contain it. Null for a payment whose payee is the channel's receiver.
  payee        bytea,
  credited     numeric(38,0),
  root_number  integer,
  CHECK (num_nonnulls(payee, credited, root_number) IN (0, 3)),
  UNIQUE (channel, key),
  UNIQUE (channel, cumulative)
);
CREATE INDEX payment_batch ON payment (batch_id);
CREATE UNIQUE INDEX payment_ticket ON payment (ticket_id) WHERE ticket_id IS NOT NULL;
CREATE INDEX payment_payee ON payment (payee, id) WHERE payee IS NOT NULL;

-- What each claim event did to a channel, so that a reorg can take exactly that back.
CREATE TABLE channel_claim (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  channel    bigint NOT NULL,
  block_hash bytea  NOT NULL,
  log_index  integer NOT NULL,
  before     numeric(38,0) NOT NULL,
  after      numeric(38,0) NOT NULL,
  -- The pending transfers that it posted.
  transfers  text[] NOT NULL,
  transaction_hash bytea
);
CREATE INDEX channel_claim_event ON channel_claim (block_hash, log_index);
CREATE INDEX channel_claim_channel ON channel_claim (channel, after);

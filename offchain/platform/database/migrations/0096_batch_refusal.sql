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

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

-- Channels in any configured token: a channel counts in the ledger's unit of its token, and a batch is of one unit.
ALTER TABLE channel ADD COLUMN unit text NOT NULL DEFAULT 'USDC';
ALTER TABLE batch ADD COLUMN unit text NOT NULL DEFAULT 'USDC';
DROP INDEX batch_open;
CREATE UNIQUE INDEX batch_open ON batch (epoch_id, unit) WHERE state = 'open';
-- Which tokens beside USDC the books hold; at the start they are compared with those that are configured.
CREATE INDEX channel_token ON channel (epoch_id, token, unit) WHERE unit <> 'USDC';

-- What a payout event in another token than USDC moved in the books, so that a reorg can take exactly that back. It may be
-- less than what the contract paid: a payee may have earned by channels too that are foreign here.
CREATE TABLE channel_payout (
  epoch_id   bigint NOT NULL,
  block_hash bytea  NOT NULL,
  log_index  integer NOT NULL,
  amount     numeric(38,0) NOT NULL CHECK (amount > 0),
  PRIMARY KEY (epoch_id, block_hash, log_index)
);

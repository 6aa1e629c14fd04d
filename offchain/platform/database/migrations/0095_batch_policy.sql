-- Why a batch waits or is settled, and which transaction claimed it.
ALTER TABLE batch
  -- Somebody asked to have it settled now, whatever it could wait for.
  ADD COLUMN forced boolean NOT NULL DEFAULT false,
  -- Each decision that differed from the one before it, oldest first: {action, reason, at, until, gas, energy, cost}.
  ADD COLUMN decisions jsonb NOT NULL DEFAULT '[]',
  -- The transaction whose event claimed the last of it, known with its state `settled` and only then.
  ADD COLUMN transaction_hash bytea,
  DROP CONSTRAINT batch_closed_by_check,
  ADD CONSTRAINT batch_closed_by_check CHECK (closed_by IN ('size', 'value', 'age', 'forced', 'withdrawal'));
CREATE INDEX batch_pending ON batch (epoch_id, id) WHERE state IN ('open', 'closed');
CREATE INDEX batch_settled_by ON batch (transaction_hash) WHERE transaction_hash IS NOT NULL;

ALTER TABLE channel_claim ADD COLUMN transaction_hash bytea;
CREATE INDEX channel_claim_channel ON channel_claim (channel, after);
CREATE INDEX channel_withdrawing ON channel (epoch_id) WHERE withdrawable_at IS NOT NULL;

UPDATE batch b SET transaction_hash = t.hash FROM chain_transaction t WHERE t.id = b.transaction_id AND b.state = 'settled';
UPDATE channel_claim k SET transaction_hash = e.transaction_hash
FROM chain_block b JOIN chain_event e ON e.epoch_id = b.epoch_id AND e.sequence = b.sequence
WHERE b.hash = k.block_hash AND b.retracted_as IS NULL AND e.log_index = k.log_index;

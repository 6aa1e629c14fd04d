-- What an epoch watches: an address and a first topic, 52 bytes. One that was added later catches up from the first
-- block while the chain is followed; `indexed_to` is how far it is, null once it goes with the epoch's checkpoint.
CREATE TABLE chain_watch (
  epoch_id bigint NOT NULL REFERENCES chain_epoch (id),
  key bytea NOT NULL,
  indexed_to bigint,
  PRIMARY KEY (epoch_id, key),
  CHECK (octet_length(key) = 52)
);

-- A block whose events were added later has another entry, at the feed position at which they came.
DROP INDEX chain_block_number;
CREATE INDEX chain_block_number ON chain_block (epoch_id, number) WHERE retracted_as IS NULL;

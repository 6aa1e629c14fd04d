-- What a chain said: one epoch per life of a chain, its blocks, their events, and the transactions we sent to it.

-- One life of a chain. A restarted local chain keeps its id but has another genesis, so it is another epoch.
-- `indexed_to` is the checkpoint: everything up to it is committed, with all its effects.
CREATE TABLE chain_epoch (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  chain_id bigint NOT NULL,
  genesis_hash bytea NOT NULL,
  from_block bigint NOT NULL,
  indexed_to bigint NOT NULL,
  indexed_hash bytea,
  -- Last feed position given out; a block's arrival and its retraction each take one.
  sequence bigint NOT NULL DEFAULT 0,
  -- What is watched (addresses and topics), so that a changed set is noticed instead of leaving a hole.
  filter_hash bytea NOT NULL,
  started_at bigint NOT NULL,
  ended_at bigint,
  CHECK (indexed_to >= from_block - 1),
  CHECK (octet_length(genesis_hash) = 32)
);
CREATE UNIQUE INDEX chain_epoch_open ON chain_epoch (chain_id) WHERE ended_at IS NULL;

-- The journal of block hashes: every block within the finality depth, and for good every block with an event.
-- A block that a reorg dropped stays, with the feed position of its retraction in `retracted_as`.
CREATE TABLE chain_block (
  epoch_id bigint NOT NULL,
  sequence bigint NOT NULL,
  number bigint NOT NULL,
  hash bytea NOT NULL,
  parent_hash bytea NOT NULL,
  block_at bigint NOT NULL,
  event_count integer NOT NULL,
  retracted_as bigint,
  PRIMARY KEY (epoch_id, sequence)
);
-- Not unique: a block whose watched addresses came later has another entry, at the feed position at which they came.
CREATE INDEX chain_block_number ON chain_block (epoch_id, number) WHERE retracted_as IS NULL;
-- The few blocks that the journal forgets once they are final.
CREATE INDEX chain_block_empty ON chain_block (epoch_id, number) WHERE event_count = 0;
CREATE UNIQUE INDEX chain_block_retracted ON chain_block (epoch_id, retracted_as) WHERE retracted_as IS NOT NULL;

-- Raw events, in the order of the feed. `sequence` is the block's; `topics` are the 32-byte topics, one after another.
CREATE TABLE chain_event (
  epoch_id bigint NOT NULL,
  sequence bigint NOT NULL,
  log_index integer NOT NULL,
  transaction_index integer NOT NULL,
  transaction_hash bytea NOT NULL,
  address bytea NOT NULL,
  topics bytea NOT NULL,
  data bytea NOT NULL,
  PRIMARY KEY (epoch_id, sequence, log_index)
);

-- What an epoch watches: an address and a first topic, 52 bytes. One that was added later catches up from the first
-- block while the chain is followed; `indexed_to` is how far it is, null once it goes with the epoch's checkpoint.
CREATE TABLE chain_watch (
  epoch_id bigint NOT NULL REFERENCES chain_epoch (id),
  key bytea NOT NULL,
  indexed_to bigint,
  PRIMARY KEY (epoch_id, key),
  CHECK (octet_length(key) = 52)
);

-- One row per key and chain that sends: locked while a nonce is given out.
CREATE TABLE chain_sender (
  chain_id bigint NOT NULL,
  address bytea NOT NULL,
  PRIMARY KEY (chain_id, address)
);

-- The queue of the transaction sender.
CREATE TABLE chain_transaction (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  epoch_id bigint NOT NULL REFERENCES chain_epoch (id),
  chain_id bigint NOT NULL,
  sender bytea NOT NULL,
  key text NOT NULL,
  request_hash bytea NOT NULL,
  target bytea NOT NULL,
  value numeric(78, 0) NOT NULL,
  data bytea NOT NULL,
  purpose text NOT NULL,
  state text NOT NULL CHECK (state IN ('prepared', 'signed', 'sent', 'mined', 'replaced', 'failed', 'epoch_lost')),
  nonce bigint,
  -- Of the mined attempt; of a foreign use of our nonce, the block at which it was noticed.
  hash bytea,
  success boolean,
  block_number bigint,
  block_hash bytea,
  gas_used numeric(78, 0),
  gas_price numeric(78, 0),
  -- Nothing is to be done about it any more: mined below the reach of reorgs, failed, or lost with its chain.
  final boolean NOT NULL DEFAULT false,
  -- Why it failed, reverted, or is waiting: {code, message, facts}.
  error jsonb,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  UNIQUE (epoch_id, sender, key),
  CHECK (octet_length(sender) = 20 AND octet_length(target) = 20)
);
CREATE INDEX chain_transaction_open ON chain_transaction (epoch_id, sender, id) WHERE NOT final;
CREATE INDEX chain_transaction_nonce ON chain_transaction (epoch_id, sender, nonce);

-- Every signed version of a transaction, stored before it is broadcast: what may have been sent is always known.
CREATE TABLE chain_attempt (
  hash bytea PRIMARY KEY,
  transaction_id bigint NOT NULL REFERENCES chain_transaction (id),
  nonce bigint NOT NULL,
  raw bytea NOT NULL,
  gas numeric(78, 0) NOT NULL,
  max_fee_per_gas numeric(78, 0) NOT NULL,
  max_priority_fee_per_gas numeric(78, 0) NOT NULL,
  signed_at bigint NOT NULL,
  sent_at bigint
);
CREATE INDEX chain_attempt_transaction ON chain_attempt (transaction_id);

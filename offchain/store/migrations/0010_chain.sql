-- What a chain said: one epoch per life of a chain, its blocks, their events, and the transactions we sent to it.

-- One life of a chain. A restarted local chain keeps its id but has another genesis, so it is another epoch.
-- `indexed_to` is the checkpoint: everything up to it is committed, with all its effects.
create table chain_epoch (
  id bigint generated always as identity primary key,
  chain_id bigint not null,
  genesis_hash bytea not null,
  from_block bigint not null,
  indexed_to bigint not null,
  indexed_hash bytea,
  -- Last feed position given out; a block's arrival and its retraction each take one.
  sequence bigint not null default 0,
  -- What is watched (addresses and topics), so that a changed set is noticed instead of leaving a hole.
  filter_hash bytea not null,
  started_at bigint not null,
  ended_at bigint,
  check (indexed_to >= from_block - 1),
  check (octet_length(genesis_hash) = 32)
);
create unique index chain_epoch_open on chain_epoch (chain_id) where ended_at is null;

-- The journal of block hashes: every block within the finality depth, and for good every block with an event.
-- A block that a reorg dropped stays, with the feed position of its retraction in `retracted_as`.
create table chain_block (
  epoch_id bigint not null,
  sequence bigint not null,
  number bigint not null,
  hash bytea not null,
  parent_hash bytea not null,
  block_at bigint not null,
  event_count integer not null,
  retracted_as bigint,
  primary key (epoch_id, sequence)
);
create unique index chain_block_number on chain_block (epoch_id, number) where retracted_as is null;
-- The few blocks that the journal forgets once they are final.
create index chain_block_empty on chain_block (epoch_id, number) where event_count = 0;
create unique index chain_block_retracted on chain_block (epoch_id, retracted_as) where retracted_as is not null;

-- Raw events, in the order of the feed. `sequence` is the block's; `topics` are the 32-byte topics, one after another.
create table chain_event (
  epoch_id bigint not null,
  sequence bigint not null,
  log_index integer not null,
  transaction_index integer not null,
  transaction_hash bytea not null,
  address bytea not null,
  topics bytea not null,
  data bytea not null,
  primary key (epoch_id, sequence, log_index)
);

-- One row per key and chain that sends: locked while a nonce is given out.
create table chain_sender (
  chain_id bigint not null,
  address bytea not null,
  primary key (chain_id, address)
);

-- The queue of the transaction sender.
create table chain_transaction (
  id bigint generated always as identity primary key,
  epoch_id bigint not null references chain_epoch (id),
  chain_id bigint not null,
  sender bytea not null,
  key text not null,
  request_hash bytea not null,
  target bytea not null,
  value numeric(78, 0) not null,
  data bytea not null,
  purpose text not null,
  state text not null check (state in ('prepared', 'signed', 'sent', 'mined', 'replaced', 'failed', 'epoch_lost')),
  nonce bigint,
  -- Of the mined attempt; of a foreign use of our nonce, the block at which it was noticed.
  hash bytea,
  success boolean,
  block_number bigint,
  block_hash bytea,
  gas_used numeric(78, 0),
  gas_price numeric(78, 0),
  -- Nothing is to be done about it any more: mined below the reach of reorgs, failed, or lost with its chain.
  final boolean not null default false,
  -- Why it failed, reverted, or is waiting: {code, message, facts}.
  error jsonb,
  created_at bigint not null,
  updated_at bigint not null,
  unique (epoch_id, sender, key),
  check (octet_length(sender) = 20 and octet_length(target) = 20)
);
create index chain_transaction_open on chain_transaction (epoch_id, sender, id) where not final;
create index chain_transaction_nonce on chain_transaction (epoch_id, sender, nonce);

-- Every signed version of a transaction, stored before it is broadcast: what may have been sent is always known.
create table chain_attempt (
  hash bytea primary key,
  transaction_id bigint not null references chain_transaction (id),
  nonce bigint not null,
  raw bytea not null,
  gas numeric(78, 0) not null,
  max_fee_per_gas numeric(78, 0) not null,
  max_priority_fee_per_gas numeric(78, 0) not null,
  signed_at bigint not null,
  sent_at bigint
);
create index chain_attempt_transaction on chain_attempt (transaction_id);

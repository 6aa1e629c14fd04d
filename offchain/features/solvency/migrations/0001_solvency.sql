-- What was owed and held at one block, and the trees that prove it to those who are owed. Reports stay for good, their
-- roots being a chain; trees are forgotten after a while.
CREATE TABLE solvency_snapshot (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  epoch_id     bigint NOT NULL REFERENCES chain_epoch (id),
  block_number bigint NOT NULL,
  block_hash   bytea  NOT NULL CHECK (octet_length(block_hash) = 32),
  taken_at     bigint NOT NULL,
  -- Whether the block is the chain's, asked once no reorganisation reaches it any more; null before. The journal forgets
  -- empty blocks by then, so this is where it stays known.
  is_confirmed boolean
);
CREATE INDEX solvency_snapshot_taken ON solvency_snapshot (taken_at);

CREATE TABLE solvency_report (
  snapshot_id bigint   NOT NULL REFERENCES solvency_snapshot (id),
  -- The snapshot's chain: each chain has roots of its own.
  chain_id    bigint   NOT NULL,
  unit        text     NOT NULL,
  token       bytea    NOT NULL CHECK (octet_length(token) = 20),
  -- By kind, base units: deposits, promised, claimed, credits, balance.
  parts       numeric(39,0)[] NOT NULL CHECK (cardinality(parts) = 5 AND 0 <= ALL (parts)),
  obligations numeric(39,0) NOT NULL CHECK (obligations >= 0),
  holdings    numeric(78,0) NOT NULL CHECK (holdings >= 0),
  -- [{name, address, amount}]
  holders     jsonb    NOT NULL,
  depth       smallint NOT NULL,
  root        bytea    NOT NULL CHECK (octet_length(root) = 32),
  previous    bytea    NOT NULL CHECK (octet_length(previous) = 32),
  -- The tree's own hash, with which anybody computes the root from the sum.
  top         bytea    CHECK (octet_length(top) = 32),
  -- Each root is signed by the operator, so that two stories are evidence against it.
  signed_by   bytea    CHECK (octet_length(signed_by) = 20),
  signature   bytea    CHECK (octet_length(signature) = 65),
  CHECK ((signed_by IS NULL) = (signature IS NULL)),
  PRIMARY KEY (snapshot_id, unit)
);
-- A root continues one other of its chain: two that continue the same would be a fork of what was told.
CREATE UNIQUE INDEX solvency_report_previous ON solvency_report (chain_id, unit, previous);

CREATE TABLE solvency_leaf (
  snapshot_id bigint  NOT NULL REFERENCES solvency_snapshot (id),
  unit        text    NOT NULL,
  owner       text    NOT NULL,
  salt        bytea   NOT NULL CHECK (octet_length(salt) = 32),
  parts       numeric(39,0)[] NOT NULL CHECK (cardinality(parts) = 5 AND 0 <= ALL (parts)),
  position    integer NOT NULL,
  PRIMARY KEY (snapshot_id, unit, owner)
);

-- One row for each level of a tree, its nodes one after another: 32 bytes hash, 16 bytes sum. A path reads slices.
CREATE TABLE solvency_level (
  snapshot_id bigint   NOT NULL REFERENCES solvency_snapshot (id),
  unit        text     NOT NULL,
  level       smallint NOT NULL,
  nodes       bytea    NOT NULL CHECK (octet_length(nodes) % 48 = 0),
  PRIMARY KEY (snapshot_id, unit, level)
);
-- Hashes do not compress; stored plain, a slice is read without the rest.
ALTER TABLE solvency_level ALTER COLUMN nodes SET STORAGE EXTERNAL;

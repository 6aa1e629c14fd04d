-- Every fact that an event tells is a row of its own, with the transaction that told it first: taking that one's event back
-- deletes the row, and changes nothing else. What the chain never told, a signature, stands beside it.

-- A nonce is used up by the execution of one proposal or by a cancellation: whichever it was, no proposal of that nonce
-- can be executed any more. A proposal's state follows from here.
CREATE TABLE treasury_nonce (
  run_id           bigint NOT NULL,
  treasury         bytea  NOT NULL CHECK (length(treasury) = 20),
  nonce            numeric(78,0) NOT NULL,
  -- The proposal that was executed; null: none, the nonce was cancelled.
  executed         bytea  CHECK (length(executed) = 32),
  used_at          bigint NOT NULL,
  transaction_hash bytea  NOT NULL,
  PRIMARY KEY (run_id, treasury, nonce)
);
INSERT INTO treasury_nonce (run_id, treasury, nonce, executed, used_at, transaction_hash)
SELECT DISTINCT ON (run_id, treasury, nonce)
       run_id, treasury, nonce, CASE state WHEN 'executed' THEN proposal_id END, closed_at, closed_transaction
FROM proposal WHERE state IN ('executed', 'cancelled')
ORDER BY run_id, treasury, nonce, state = 'executed' DESC;

-- Whether it is lost follows from its run, and the rest from its nonce.
ALTER TABLE proposal DROP COLUMN state, DROP COLUMN closed_at, DROP COLUMN closed_transaction;
ALTER TABLE proposal ADD COLUMN opened_transaction bytea;
UPDATE proposal p SET opened_transaction = told.transaction_hash
FROM (
  SELECT DISTINCT ON (e.run_id, e.address, substr(e.topics, 33, 32))
         e.run_id, e.address, substr(e.topics, 33, 32) AS proposal_id, e.transaction_hash
  FROM chain_event e JOIN chain_block b ON b.run_id = e.run_id AND b.sequence = e.sequence
  WHERE b.retracted_as IS NULL
    AND substr(e.topics, 1, 32) = '\xd1d128343e7726a201647cd82d16d62d4b4c37ce6fdafd0b89a9bb6aff177bc6'
  ORDER BY e.run_id, e.address, substr(e.topics, 33, 32), b.number, e.log_index
) told
WHERE told.run_id = p.run_id AND told.address = p.treasury AND told.proposal_id = p.proposal_id;

-- What owners signed and handed in here.
CREATE TABLE proposal_signature (
  run_id      bigint NOT NULL,
  proposal_id bytea  NOT NULL,
  owner       bytea  NOT NULL,
  -- As `execute` takes it.
  signature   bytea  NOT NULL,
  signed_at   bigint NOT NULL,
  PRIMARY KEY (run_id, proposal_id, owner)
);
INSERT INTO proposal_signature (run_id, proposal_id, owner, signature, signed_at)
SELECT run_id, proposal_id, owner, signature, approved_at FROM proposal_approval WHERE signature IS NOT NULL;

-- What owners approved by a transaction, as the chain tells it; an owner may do so more than once.
DROP TABLE proposal_approval;
CREATE TABLE proposal_approval (
  run_id       bigint NOT NULL,
  treasury     bytea  NOT NULL CHECK (length(treasury) = 20),
  proposal_id  bytea  NOT NULL,
  owner        bytea  NOT NULL,
  approved_at  bigint NOT NULL,
  transaction_hash bytea NOT NULL,
  PRIMARY KEY (run_id, treasury, proposal_id, owner)
);
INSERT INTO proposal_approval (run_id, treasury, proposal_id, owner, approved_at, transaction_hash)
SELECT DISTINCT ON (e.run_id, e.address, substr(e.topics, 33, 32), substr(e.topics, 77, 20))
       e.run_id, e.address, substr(e.topics, 33, 32), substr(e.topics, 77, 20), b.block_at, e.transaction_hash
FROM chain_event e JOIN chain_block b ON b.run_id = e.run_id AND b.sequence = e.sequence
WHERE b.retracted_as IS NULL AND length(e.address) = 20
  AND substr(e.topics, 1, 32) = '\xeb05169868501d8cd19ad54800ef0547fcc3820c5bc4ac68e5683e6456ce08e3'
ORDER BY e.run_id, e.address, substr(e.topics, 33, 32), substr(e.topics, 77, 20), b.number, e.log_index;

ALTER TABLE treasury_budget ADD COLUMN transaction_hash bytea;
UPDATE treasury_budget t SET transaction_hash = told.transaction_hash
FROM (
  SELECT DISTINCT ON (e.run_id, e.address, substr(e.topics, 45, 20), substr(e.topics, 77, 20))
         e.run_id, e.address, substr(e.topics, 45, 20) AS spender, substr(e.topics, 77, 20) AS token, e.transaction_hash
  FROM chain_event e JOIN chain_block b ON b.run_id = e.run_id AND b.sequence = e.sequence
  WHERE b.retracted_as IS NULL
    AND substr(e.topics, 1, 32) = '\x3e14332060d8f2cc92d51fc1d2ffdde904866f7977d3b734eebcbb0b9522d5e9'
  ORDER BY e.run_id, e.address, substr(e.topics, 45, 20), substr(e.topics, 77, 20), b.number, e.log_index
) told
WHERE told.run_id = t.run_id AND told.address = t.treasury AND told.spender = t.spender AND told.token = t.token;

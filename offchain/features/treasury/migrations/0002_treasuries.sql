-- Treasuries that are followed beside the configured one. They stay listed when their chain run ends: their events
-- stay watched, because the run that follows was begun with them.
CREATE TABLE treasury (
  chain_id         bigint NOT NULL,
  epoch_id         bigint NOT NULL,
  address          bytea  NOT NULL CHECK (length(address) = 20),
  origin           text   NOT NULL CHECK (origin IN ('created', 'adopted')),
  -- Of its creation.
  transaction_hash bytea,
  added_at         bigint NOT NULL,
  PRIMARY KEY (epoch_id, address)
);
CREATE INDEX treasury_chain ON treasury (chain_id);

-- Which Treasury a proposal is of: the contract that emitted its event. Until now that was one for each chain.
ALTER TABLE proposal ADD COLUMN treasury bytea;
UPDATE proposal p SET treasury = e.address FROM chain_event e
WHERE e.epoch_id = p.epoch_id AND substr(e.topics, 33, 32) = p.proposal_id AND length(e.address) = 20;
ALTER TABLE proposal ALTER COLUMN treasury SET NOT NULL;
DROP INDEX proposal_nonce;
CREATE INDEX proposal_nonce ON proposal (epoch_id, treasury, nonce);

ALTER TABLE treasury_budget ADD COLUMN treasury bytea;
UPDATE treasury_budget b SET treasury = e.address FROM chain_event e
WHERE e.epoch_id = b.epoch_id AND substr(e.topics, 45, 20) = b.spender AND substr(e.topics, 77, 20) = b.token
  AND e.address IN (SELECT treasury FROM proposal);
-- A budget that no event tells of is none.
DELETE FROM treasury_budget WHERE treasury IS NULL;
ALTER TABLE treasury_budget ALTER COLUMN treasury SET NOT NULL;
ALTER TABLE treasury_budget DROP CONSTRAINT treasury_budget_pkey;
ALTER TABLE treasury_budget ADD PRIMARY KEY (epoch_id, treasury, spender, token);

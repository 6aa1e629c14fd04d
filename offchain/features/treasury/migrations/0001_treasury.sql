-- A proposal of the Treasury contract, from its events.
CREATE TABLE proposal (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  epoch_id       bigint NOT NULL,
  -- The EIP-712 digest that owners sign.
  proposal_id    bytea  NOT NULL CHECK (length(proposal_id) = 32),
  proposer       bytea  NOT NULL,
  nonce          numeric(78,0) NOT NULL,
  -- Last epoch ms in which it may be executed.
  deadline       bigint NOT NULL,
  reference      bytea  NOT NULL,
  -- [{to, value, data}], value in wei as a decimal string.
  calls          jsonb  NOT NULL,
  state          text   NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'executed', 'cancelled', 'lost')),
  opened_at      bigint NOT NULL,
  closed_at      bigint,
  closed_transaction bytea,
  UNIQUE (epoch_id, proposal_id)
);
CREATE INDEX proposal_nonce ON proposal (epoch_id, nonce);

-- Who has approved: by a transaction (from the contract's event) or by a signature handed in here.
CREATE TABLE proposal_approval (
  epoch_id    bigint NOT NULL,
  proposal_id bytea  NOT NULL,
  owner       bytea  NOT NULL,
  -- Null: approved by a transaction.
  signature   bytea,
  approved_at bigint NOT NULL,
  PRIMARY KEY (epoch_id, proposal_id, owner)
);

-- Which spender was ever given a budget in which token: where to look on the chain.
CREATE TABLE treasury_budget (
  epoch_id bigint NOT NULL,
  spender  bytea  NOT NULL,
  token    bytea  NOT NULL,
  PRIMARY KEY (epoch_id, spender, token)
);

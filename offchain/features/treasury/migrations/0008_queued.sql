-- A payment that the contract has queued under a delay is made without the owners from `ready_at` on, in epoch ms, unless the
-- delay of its budget was set anew since, which is of the token that the proposal's one call pays in.
ALTER TABLE proposal ADD COLUMN ready_at bigint, ADD COLUMN payment_token bytea;

-- That a budget's delay was set, or the budget itself, which ends its delay: what was queued before waits for the owners.
CREATE TABLE treasury_delay (
  run_id   bigint NOT NULL,
  treasury bytea  NOT NULL CHECK (length(treasury) = 20),
  spender  bytea  NOT NULL CHECK (length(spender) = 20),
  token    bytea  NOT NULL CHECK (length(token) = 20),
  -- The block's time, epoch ms.
  set_at   bigint NOT NULL,
  transaction_hash bytea NOT NULL,
  PRIMARY KEY (run_id, treasury, spender, token, set_at, transaction_hash)
);

-- A spender's call uses its reference up as a payment does.
CREATE TABLE treasury_call (
  run_id    bigint NOT NULL,
  treasury  bytea  NOT NULL CHECK (length(treasury) = 20),
  spender   bytea  NOT NULL CHECK (length(spender) = 20),
  reference bytea  NOT NULL CHECK (length(reference) = 32),
  transaction_hash bytea NOT NULL,
  PRIMARY KEY (run_id, treasury, spender, reference)
);

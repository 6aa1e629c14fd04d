-- What spenders were paid out of a Treasury inside their budgets, as the chain tells it: whoever sent the transaction. A
-- spender's reference pays, or proposes, once.
CREATE TABLE treasury_payment (
  run_id    bigint NOT NULL,
  treasury  bytea  NOT NULL CHECK (length(treasury) = 20),
  spender   bytea  NOT NULL CHECK (length(spender) = 20),
  reference bytea  NOT NULL CHECK (length(reference) = 32),
  token     bytea  NOT NULL,
  recipient bytea  NOT NULL,
  -- Base units of the token.
  amount    numeric(78,0) NOT NULL,
  transaction_hash bytea NOT NULL,
  PRIMARY KEY (run_id, treasury, spender, reference)
);

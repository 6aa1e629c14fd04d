-- Payments that the x402 facilitator settled or is settling, so that a retry is answered and never paid again.
CREATE TABLE x402_settlement (
  epoch_id bigint NOT NULL REFERENCES chain_epoch (id),
  -- keccak-256 of what the chain lets happen once: network, asset, payer and nonce.
  key bytea NOT NULL,
  -- keccak-256 of the payment with its terms: the same nonce over something else is another payment.
  content bytea NOT NULL,
  attempt integer NOT NULL DEFAULT 1,
  transaction_id bigint NOT NULL REFERENCES chain_transaction (id),
  -- The answer to every later settle; null while the transaction is on its way.
  outcome jsonb,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  PRIMARY KEY (epoch_id, key),
  CHECK (octet_length(key) = 32 AND octet_length(content) = 32)
);

-- Priced requests: which payment bought which request, and the answer that it bought.
CREATE TABLE x402_sale (
  epoch_id bigint NOT NULL REFERENCES chain_epoch (id),
  payment bytea NOT NULL,
  content bytea NOT NULL,
  -- keccak-256 of method, target and body.
  request bytea NOT NULL,
  action text NOT NULL,
  -- Null while the request runs, or when it died: then the same request may be run again.
  status integer,
  body text,
  receipt text,
  held_until bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  PRIMARY KEY (epoch_id, payment),
  CHECK (octet_length(payment) = 32 AND octet_length(request) = 32)
);
CREATE INDEX x402_sale_created ON x402_sale (created_at);

-- Channels of the batch-settlement scheme whose receiver is this service: the newest voucher is money.
CREATE TABLE x402_channel (
  epoch_id bigint NOT NULL REFERENCES chain_epoch (id),
  channel_id bytea NOT NULL,
  record jsonb NOT NULL,
  updated_at bigint NOT NULL,
  PRIMARY KEY (epoch_id, channel_id),
  CHECK (octet_length(channel_id) = 32)
);

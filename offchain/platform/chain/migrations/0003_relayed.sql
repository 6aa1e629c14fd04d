-- What callers ask the service to send for them, which waits behind the service's own transactions.
ALTER TABLE chain_transaction ADD COLUMN is_relayed boolean NOT NULL DEFAULT false;

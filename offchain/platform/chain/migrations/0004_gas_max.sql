-- What a transaction may cost at most: whoever asks for one may choose whose code it runs. Null: what a transaction may have.
ALTER TABLE chain_transaction ADD COLUMN gas_max bigint;

-- The service's own transactions on which nothing that follows depends: they go after its others, and hold none of them back.
ALTER TABLE chain_transaction ADD COLUMN is_independent boolean NOT NULL DEFAULT false;

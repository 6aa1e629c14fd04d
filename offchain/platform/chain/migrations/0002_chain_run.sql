-- A chain's life is called a chain run everywhere; "epoch" is left to the Clearing contract's roots.
ALTER TABLE chain_epoch RENAME TO chain_run;
ALTER SEQUENCE chain_epoch_id_seq RENAME TO chain_run_id_seq;

-- Every feature's rows say which run they belong to, so the column is renamed wherever it stands, and what PostgreSQL
-- or a migration named after it: constraints (with the indexes that carry them) and the other indexes.
DO $$
DECLARE
  found record;
BEGIN
  FOR found IN
    SELECT table_name FROM information_schema.columns
    WHERE table_schema = current_schema() AND column_name = 'epoch_id'
  LOOP
    EXECUTE format('ALTER TABLE %I RENAME COLUMN epoch_id TO run_id', found.table_name);
  END LOOP;

  FOR found IN
    SELECT c.conrelid::regclass AS relation, c.conname AS name,
           replace(replace(c.conname, 'chain_epoch', 'chain_run'), 'epoch', 'run') AS renamed
    FROM pg_constraint c
    WHERE c.connamespace = current_schema()::regnamespace AND c.conname LIKE '%epoch%'
  LOOP
    EXECUTE format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I', found.relation, found.name, found.renamed);
  END LOOP;

  FOR found IN
    SELECT indexname AS name, replace(indexname, 'epoch', 'run') AS renamed
    FROM pg_indexes WHERE schemaname = current_schema() AND indexname LIKE '%epoch%'
  LOOP
    EXECUTE format('ALTER INDEX %I RENAME TO %I', found.name, found.renamed);
  END LOOP;
END
$$;

ALTER TABLE chain_transaction DROP CONSTRAINT chain_transaction_state_check;
UPDATE chain_transaction SET state = 'run_lost' WHERE state = 'epoch_lost';
ALTER TABLE chain_transaction ADD CONSTRAINT chain_transaction_state_check
  CHECK (state IN ('prepared', 'signed', 'sent', 'mined', 'replaced', 'failed', 'run_lost'));

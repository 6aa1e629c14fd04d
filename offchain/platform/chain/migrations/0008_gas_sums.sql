-- The gas of a run's mined transactions by what they were for, kept with them: whoever shows it reads no transaction.
CREATE TABLE chain_gas (
  run_id  bigint NOT NULL,
  purpose text   NOT NULL,
  gas     numeric(38,0) NOT NULL,
  PRIMARY KEY (run_id, purpose)
) WITH (fillfactor = 50);
INSERT INTO chain_gas SELECT run_id, purpose, sum(gas_used) FROM chain_transaction
WHERE state = 'mined' AND gas_used IS NOT NULL GROUP BY run_id, purpose;

CREATE FUNCTION chain_gas_add() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  more numeric := 0;
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.state = 'mined' THEN more := more - coalesce(OLD.gas_used, 0); END IF;
  IF NEW.state = 'mined' THEN more := more + coalesce(NEW.gas_used, 0); END IF;
  INSERT INTO chain_gas VALUES (NEW.run_id, NEW.purpose, more)
  ON CONFLICT (run_id, purpose) DO UPDATE SET gas = chain_gas.gas + more;
  RETURN NULL;
END $$;
CREATE TRIGGER chain_gas_changed AFTER UPDATE OF state, gas_used ON chain_transaction
  FOR EACH ROW WHEN (OLD.state = 'mined' OR NEW.state = 'mined') EXECUTE FUNCTION chain_gas_add();
CREATE TRIGGER chain_gas_added AFTER INSERT ON chain_transaction
  FOR EACH ROW WHEN (NEW.state = 'mined') EXECUTE FUNCTION chain_gas_add();

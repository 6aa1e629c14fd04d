-- What the batches that are over come to, kept with them: whoever shows totals reads none of these batches.
CREATE TABLE batch_sum (
  run_id   bigint NOT NULL,
  unit     text   NOT NULL,
  state    text   NOT NULL CHECK (state IN ('settled', 'lost')),
  batches  bigint NOT NULL,
  payments bigint NOT NULL,
  value    numeric(38,0) NOT NULL,
  PRIMARY KEY (run_id, unit, state)
) WITH (fillfactor = 50);
INSERT INTO batch_sum SELECT run_id, unit, state, count(*), sum(payments), sum(value) FROM batch
WHERE state IN ('settled', 'lost') GROUP BY run_id, unit, state;

CREATE INDEX batch_going_on ON batch (run_id) WHERE state IN ('open', 'closed', 'submitted');

CREATE FUNCTION batch_sum_add(of_run bigint, in_unit text, in_state text, added bigint, paid bigint, worth numeric)
RETURNS void LANGUAGE sql AS $$
  INSERT INTO batch_sum VALUES (of_run, in_unit, in_state, added, paid, worth)
  ON CONFLICT (run_id, unit, state) DO UPDATE SET batches = batch_sum.batches + added,
    payments = batch_sum.payments + paid, value = batch_sum.value + worth
$$;

CREATE FUNCTION batch_over() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state IN ('settled', 'lost') THEN
    PERFORM batch_sum_add(OLD.run_id, OLD.unit, OLD.state, -1, -OLD.payments, -OLD.value);
  END IF;
  IF NEW.state IN ('settled', 'lost') THEN
    PERFORM batch_sum_add(NEW.run_id, NEW.unit, NEW.state, 1, NEW.payments, NEW.value);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER batch_over AFTER UPDATE OF state, payments, value ON batch
  FOR EACH ROW WHEN (OLD.state IN ('settled', 'lost') OR NEW.state IN ('settled', 'lost')) EXECUTE FUNCTION batch_over();

-- Batches that are over when they come: of an archive, or a benchmark.
CREATE FUNCTION batches_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM batch_sum_add(run_id, unit, state, count(*), sum(payments), sum(value)) FROM added
  WHERE state IN ('settled', 'lost') GROUP BY run_id, unit, state;
  RETURN NULL;
END $$;
CREATE TRIGGER batches_added AFTER INSERT ON batch REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION batches_added();

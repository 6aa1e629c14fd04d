-- The ledger's heads at a moment, as the operator signed them, and what the chain has anchored under their number.
CREATE TABLE ledger_anchor (
  run_id           bigint NOT NULL,
  epoch            bigint NOT NULL,
  -- What was signed: [{unit, height, hash, openings, openingHash}]. Null for what somebody else anchored.
  heads            jsonb,
  root             bytea CHECK (octet_length(root) = 32),
  taken_at         bigint,
  signed_by        bytea CHECK (octet_length(signed_by) = 20),
  signature        bytea,
  -- What the chain says; null until then.
  anchored_root    bytea CHECK (octet_length(anchored_root) = 32),
  anchored_at      bigint,
  transaction_hash bytea,
  PRIMARY KEY (run_id, epoch),
  CHECK (num_nonnulls(heads, root, taken_at, signed_by, signature) IN (0, 5)),
  CHECK (num_nonnulls(anchored_root, anchored_at, transaction_hash) IN (0, 3)),
  CHECK (num_nonnulls(root, anchored_root) > 0)
);

-- What was signed stays as it was.
CREATE FUNCTION ledger_anchor_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.root IS NULL THEN
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE' AND (OLD.run_id, OLD.epoch, OLD.heads, OLD.root, OLD.taken_at, OLD.signed_by, OLD.signature)
      IS NOT DISTINCT FROM (NEW.run_id, NEW.epoch, NEW.heads, NEW.root, NEW.taken_at, NEW.signed_by, NEW.signature) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'signed heads of the ledger are kept as they are';
END $$;
CREATE TRIGGER ledger_anchor_kept BEFORE UPDATE OR DELETE ON ledger_anchor
  FOR EACH ROW EXECUTE FUNCTION ledger_anchor_kept();
CREATE TRIGGER ledger_anchor_append_only BEFORE TRUNCATE ON ledger_anchor
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

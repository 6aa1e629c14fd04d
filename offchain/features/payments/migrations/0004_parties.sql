-- Who has paid and who was paid on a chain, over all runs of it, whatever the way. Numbered from 1 as they come, so that
-- the greatest number says how many there are. Whoever adds one has taken the ledger, so none is numbered at the same time.
CREATE TABLE payment_party (
  chain_id bigint NOT NULL,
  role     text   NOT NULL CHECK (role IN ('payer', 'payee')),
  address  bytea  NOT NULL,
  number   bigint NOT NULL,
  PRIMARY KEY (chain_id, role, address)
);
CREATE UNIQUE INDEX payment_party_number ON payment_party (chain_id, role, number);

CREATE FUNCTION payment_note_party(run bigint, of_role text, of_address bytea) RETURNS void LANGUAGE sql AS $$
  INSERT INTO payment_party (chain_id, role, address, number)
  SELECT r.chain_id, of_role, of_address, 1 + coalesce(
    (SELECT max(p.number) FROM payment_party p WHERE p.chain_id = r.chain_id AND p.role = of_role), 0)
  FROM chain_run r WHERE r.id = run AND NOT EXISTS (
    SELECT FROM payment_party k WHERE k.chain_id = r.chain_id AND k.role = of_role AND k.address = of_address)
$$;

-- A channel's first payment. A cleared channel's payees are noted where they are credited.
CREATE FUNCTION channel_note_parties() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM payment_note_party(NEW.run_id, 'payer', NEW.payer);
  IF NOT NEW.is_cleared THEN
    PERFORM payment_note_party(NEW.run_id, 'payee', NEW.receiver);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER channel_first_payment AFTER UPDATE OF accepted ON channel
  FOR EACH ROW WHEN (OLD.accepted = 0 AND NEW.accepted > 0) EXECUTE FUNCTION channel_note_parties();

INSERT INTO payment_party (chain_id, role, address, number)
SELECT chain_id, role, address, row_number() OVER (PARTITION BY chain_id, role ORDER BY first)
FROM (
  SELECT r.chain_id, 'payer' AS role, c.payer AS address, min(c.id) AS first
  FROM channel c JOIN chain_run r ON r.id = c.run_id WHERE c.accepted > 0 GROUP BY r.chain_id, c.payer
  UNION ALL
  SELECT r.chain_id, 'payee', c.receiver, min(c.id)
  FROM channel c JOIN chain_run r ON r.id = c.run_id WHERE c.accepted > 0 AND NOT c.is_cleared
  GROUP BY r.chain_id, c.receiver
) parties;

-- Lists by payer and by receiver, newest first.
DROP INDEX channel_payer;
DROP INDEX channel_receiver;
CREATE INDEX channel_payer ON channel (run_id, payer, id);
CREATE INDEX channel_receiver ON channel (run_id, receiver, id);
CREATE INDEX channel_run ON channel (run_id, id);
-- By an expression of the id, so that no plan takes the order of all payments instead and passes over other parties'.
CREATE INDEX payment_channel ON payment (channel, (-id));
DROP INDEX payment_payee;
CREATE INDEX payment_payee ON payment (payee, (-id)) WHERE payee IS NOT NULL;

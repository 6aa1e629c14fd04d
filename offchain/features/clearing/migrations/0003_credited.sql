-- All that payees were credited in one run of the chain, kept with each credit: adding up the payees takes the longer, the
-- more there are. `waits_since` is the first credit after the last cut; null: there was none.
CREATE TABLE clearing_credited (
  run_id      bigint PRIMARY KEY,
  credited    numeric(38,0) NOT NULL,
  waits_since bigint
) WITH (fillfactor = 50);

INSERT INTO clearing_credited (run_id, credited, waits_since)
SELECT p.run_id, sum(p.credited), min(p.credited_at) FILTER (WHERE p.credited_at >= coalesce((
  SELECT cut_at FROM clearing_root r WHERE r.run_id = p.run_id AND r.state <> 'void' ORDER BY number DESC LIMIT 1), 0))
FROM clearing_payee p GROUP BY p.run_id;

-- Whoever is credited for the first time is a payee, as the receiver of a direct channel is.
CREATE FUNCTION clearing_note_payee() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM payment_note_party(NEW.run_id, 'payee', NEW.payee);
  RETURN NULL;
END $$;
CREATE TRIGGER clearing_first_credit AFTER INSERT ON clearing_payee
  FOR EACH ROW EXECUTE FUNCTION clearing_note_payee();

INSERT INTO payment_party (chain_id, role, address, number)
SELECT chain_id, 'payee', payee, row_number() OVER (PARTITION BY chain_id ORDER BY payee)
  + coalesce((SELECT max(number) FROM payment_party k WHERE k.chain_id = payees.chain_id AND role = 'payee'), 0)
FROM (SELECT DISTINCT r.chain_id, p.payee FROM clearing_payee p JOIN chain_run r ON r.id = p.run_id) payees
WHERE NOT EXISTS (
  SELECT FROM payment_party k WHERE k.chain_id = payees.chain_id AND k.role = 'payee' AND k.address = payees.payee);

-- Parties are kept for each run of a chain now: whoever was credited is a payee of that run.
INSERT INTO payment_party (run_id, role, address, number)
SELECT run_id, 'payee', payee, row_number() OVER (PARTITION BY run_id ORDER BY payee)
  + coalesce((SELECT max(number) FROM payment_party k WHERE k.run_id = c.run_id AND role = 'payee'), 0)
FROM clearing_payee c
WHERE NOT EXISTS (
  SELECT FROM payment_party k WHERE k.run_id = c.run_id AND k.role = 'payee' AND k.address = c.payee);

-- Who has paid and who was paid in one run of a chain, not over all of them: what was paid in a run that has ended is
-- written off. As before numbered from 1 as they come, by whoever has taken the ledger.
DROP TABLE payment_party;
CREATE TABLE payment_party (
  run_id  bigint NOT NULL,
  role    text   NOT NULL CHECK (role IN ('payer', 'payee')),
  address bytea  NOT NULL,
  number  bigint NOT NULL,
  PRIMARY KEY (run_id, role, address)
);
CREATE UNIQUE INDEX payment_party_number ON payment_party (run_id, role, number);

CREATE OR REPLACE FUNCTION payment_note_party(run bigint, of_role text, of_address bytea) RETURNS void LANGUAGE sql AS $$
  INSERT INTO payment_party (run_id, role, address, number)
  SELECT run, of_role, of_address, 1 + coalesce(
    (SELECT max(p.number) FROM payment_party p WHERE p.run_id = run AND p.role = of_role), 0)
  WHERE NOT EXISTS (
    SELECT FROM payment_party k WHERE k.run_id = run AND k.role = of_role AND k.address = of_address)
$$;

INSERT INTO payment_party (run_id, role, address, number)
SELECT run_id, role, address, row_number() OVER (PARTITION BY run_id, role ORDER BY first)
FROM (
  SELECT run_id, 'payer' AS role, payer AS address, min(id) AS first
  FROM channel WHERE accepted > 0 GROUP BY run_id, payer
  UNION ALL
  SELECT run_id, 'payee', receiver, min(id)
  FROM channel WHERE accepted > 0 AND NOT is_cleared GROUP BY run_id, receiver
) parties;

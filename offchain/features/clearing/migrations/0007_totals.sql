-- A row says what its payee is credited in all, and not by how much that rises. So it is right whatever the payee has demanded
-- meanwhile: what is assigned follows from rows alone, an epoch's rows and their places stay as they were cut, and no epoch is
-- given up. Of demands only their number is kept: what such a payee is credited the chain alone says.
ALTER TABLE clearing_payee ADD COLUMN demands integer NOT NULL DEFAULT 0;
UPDATE clearing_payee p SET demands = d.demands, assigned = greatest(p.assigned - d.amount, 0)
FROM (SELECT run_id, payee, count(*)::integer AS demands, sum(amount - taken) AS amount
      FROM clearing_demand GROUP BY run_id, payee) d
WHERE p.run_id = d.run_id AND p.payee = d.payee;
DROP TABLE clearing_demand;

-- An epoch that is open is in the words of the contract before, and a demand may have lessened its rows: none of them is sent.
-- What it has is due again. One of which nothing has reached the chain, nor is on its way, never was; of another the rest is not
-- sent, and the next one waits until its operator has given it up (`abandon`).
UPDATE clearing_payee p SET assigned = greatest(p.assigned - r.amount, 0)
FROM clearing_row r JOIN clearing_epoch e ON e.run_id = r.run_id AND e.number = r.number
WHERE e.sealed_at IS NULL AND NOT e.is_void AND p.run_id = r.run_id AND p.payee = r.payee;
DELETE FROM clearing_row r USING clearing_epoch e
WHERE e.run_id = r.run_id AND e.number = r.number AND e.sealed_at IS NULL AND NOT e.is_void;
UPDATE clearing_epoch SET payees = NULL WHERE sealed_at IS NULL AND NOT is_void;
DELETE FROM clearing_epoch e
WHERE sealed_at IS NULL AND NOT is_void
  AND NOT EXISTS (SELECT FROM clearing_fill f WHERE f.run_id = e.run_id AND f.number = e.number)
  AND NOT EXISTS (SELECT FROM chain_transaction t WHERE t.id = e.transaction_id AND t.state NOT IN ('failed', 'run_lost'));
UPDATE clearing_credited SET waits_since = coalesce(waits_since, 0);

-- What a row says in all is what is assigned now, less what later rows that stand have added. Rows that were never sent are of
-- void epochs.
DELETE FROM clearing_row WHERE place IS NULL;
ALTER TABLE clearing_row ADD COLUMN total numeric(38,0) CHECK (total >= 0);
UPDATE clearing_row r SET total = greatest(s.total, 0)
FROM (
  SELECT r.run_id, r.number, r.payee, p.assigned - coalesce(sum(r.amount) FILTER (WHERE NOT e.is_void)
    OVER (PARTITION BY r.run_id, r.payee ORDER BY r.number DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS total
  FROM clearing_row r
  JOIN clearing_epoch e ON e.run_id = r.run_id AND e.number = r.number
  JOIN clearing_payee p ON p.run_id = r.run_id AND p.payee = r.payee
) s
WHERE r.run_id = s.run_id AND r.number = s.number AND r.payee = s.payee;
-- What a payee's rows say is found by its key; an epoch's by their places.
ALTER TABLE clearing_row
  ALTER COLUMN total SET NOT NULL,
  ALTER COLUMN place SET NOT NULL,
  DROP COLUMN amount,
  DROP CONSTRAINT clearing_row_pkey,
  ADD PRIMARY KEY (run_id, payee, number);
ALTER TABLE clearing_epoch DROP COLUMN is_given_up;

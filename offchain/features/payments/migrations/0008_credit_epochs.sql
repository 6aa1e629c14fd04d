-- The word for a credit names the epoch that must contain it, and the office of the operator whose word it is. What was
-- credited before was credited by the first one.
ALTER TABLE payment RENAME COLUMN root_number TO epoch;
ALTER TABLE payment ADD COLUMN office integer;
UPDATE payment SET office = 0 WHERE payee IS NOT NULL;
ALTER TABLE payment DROP CONSTRAINT payment_check;
ALTER TABLE payment ADD CONSTRAINT payment_check CHECK (num_nonnulls(payee, credited, epoch, office) IN (0, 4));

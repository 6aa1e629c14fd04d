-- Settlement transactions that failed since the last one that claimed something. A large batch takes several transactions,
-- one after another, so how many were sent says no more how many failed.
ALTER TABLE batch ADD COLUMN failures integer NOT NULL DEFAULT 0;
UPDATE batch SET failures = greatest(attempts - (state = 'submitted')::int, 0) WHERE state IN ('closed', 'submitted');

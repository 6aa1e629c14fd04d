-- Any uint256 of seconds, as the contract takes it: a deadline that means "none" lies far beyond a bigint.
ALTER TABLE proposal ALTER COLUMN deadline TYPE numeric(78, 0) USING floor(deadline / 1000.0);
ALTER TABLE proposal RENAME COLUMN deadline TO deadline_s;

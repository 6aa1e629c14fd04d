-- Locks keep work from being done twice and protect no write, so nothing checks a fencing token.
DROP TABLE lock_fence;
ALTER TABLE lock DROP COLUMN fence;

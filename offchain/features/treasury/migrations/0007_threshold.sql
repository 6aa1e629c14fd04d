-- An owner's approval names how many owners decide, and counts only while that many do. Of proposals that were opened before
-- the contract said so none can be executed.
ALTER TABLE proposal ADD COLUMN threshold smallint NOT NULL DEFAULT 0;
ALTER TABLE proposal ALTER COLUMN threshold DROP DEFAULT;

-- A reorganisation can take back the opening of a proposal that owners have signed already. Their signatures are as good
-- without it, so the proposal stays, and says of itself that the chain as it is now has not opened it.
ALTER TABLE proposal ADD COLUMN is_taken_back boolean NOT NULL DEFAULT false;

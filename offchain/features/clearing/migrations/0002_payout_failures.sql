-- How often the payout that is being tried has failed since one last succeeded: how long the next try waits follows from it.
ALTER TABLE clearing_root ADD COLUMN payout_failures integer NOT NULL DEFAULT 0;

-- How many deposits the chain has seen of a channel: by it payers tell their next one from those before.
ALTER TABLE channel ADD COLUMN deposits integer NOT NULL DEFAULT 0;
UPDATE channel SET deposits = 1 WHERE index IS NOT NULL;

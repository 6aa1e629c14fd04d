-- What a key was used for is in the payment's own columns: a repetition is compared with them.
ALTER TABLE payment DROP COLUMN request_hash;

-- Both change with every group of payments: with room in their pages the old versions are swept without a vacuum.
ALTER TABLE channel SET (fillfactor = 40);
ALTER TABLE batch SET (fillfactor = 40);

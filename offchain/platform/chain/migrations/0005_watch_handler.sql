-- An event is watched by each handler for itself: one that is added for an event that is watched already gets its past.
-- Rows from before name no handler: the next start puts those in that handle the event then.
ALTER TABLE chain_watch ADD COLUMN handler text NOT NULL DEFAULT '';
ALTER TABLE chain_watch ALTER COLUMN handler DROP DEFAULT;
ALTER TABLE chain_watch DROP CONSTRAINT chain_watch_pkey;
ALTER TABLE chain_watch ADD PRIMARY KEY (run_id, handler, key);

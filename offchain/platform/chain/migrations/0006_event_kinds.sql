-- The feed of one contract, or of one kind of event, in the feed's order: the first topic's beginning tells kinds apart.
CREATE INDEX chain_event_kind ON chain_event (run_id, address, substr(topics, 1, 8), sequence, log_index);

-- The feed of one contract, or of one kind of event, in the feed's order: the first topic's beginning tells kinds apart.
-- By an expression of the sequence, so that no plan takes the order of all events instead and passes over other kinds.
CREATE INDEX chain_event_kind ON chain_event (run_id, address, substr(topics, 1, 8), (sequence + 0), log_index);

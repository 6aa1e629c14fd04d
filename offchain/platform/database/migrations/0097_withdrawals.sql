-- The withdrawals that a payer began, oldest first: {at: when it may finish, left: base units}; null: none is pending any
-- more. `withdrawable_at` follows from the last one. A refund takes from the pending withdrawal; so an event can be taken
-- back exactly.
ALTER TABLE channel ADD COLUMN withdrawals jsonb NOT NULL DEFAULT '[]';
UPDATE channel SET withdrawals = jsonb_build_array(jsonb_build_object('at', withdrawable_at, 'left', (balance - claimed)::text))
WHERE withdrawable_at IS NOT NULL;

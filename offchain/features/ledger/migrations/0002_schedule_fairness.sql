-- Due times that passed before a run and were not run: a schedule that was late pays once, never in bulk.
ALTER TABLE ledger_schedule_run ADD COLUMN skipped integer NOT NULL DEFAULT 0;
-- An owner's active schedules are counted before another one is added.
CREATE INDEX ledger_schedule_owner ON ledger_schedule (owner) WHERE state = 'active';

ALTER TABLE solvency_snapshot
  -- Whether the block is the chain's, asked once no reorganisation reaches it any more; null before. The journal forgets
  -- empty blocks by then, so this is where it stays known.
  ADD COLUMN is_confirmed boolean;
ALTER TABLE solvency_report
  -- The tree's own hash, with which anybody computes the root from the sum. Null where it was forgotten before this column.
  ADD COLUMN top bytea CHECK (octet_length(top) = 32);
UPDATE solvency_report r SET top = substr(l.nodes, 1, 32) FROM solvency_level l
WHERE l.snapshot_id = r.snapshot_id AND l.unit = r.unit AND l.level = r.depth;

-- Lists and sums are of one chain: its batches, over all runs of it.
CREATE INDEX batch_epoch ON batch (epoch_id, id);

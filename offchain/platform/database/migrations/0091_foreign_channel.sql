-- Channels of the settlement contract in tokens that the ledger has no unit for: known, so that their events are passed
-- over knowingly, and nowhere else, so that nothing takes them for money.
CREATE TABLE foreign_channel (
  epoch_id   bigint NOT NULL,
  channel_id bytea  NOT NULL CHECK (octet_length(channel_id) = 32),
  PRIMARY KEY (epoch_id, channel_id)
);

CREATE TABLE greeting (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  chain_id bigint NOT NULL,
  by text NOT NULL,
  words text NOT NULL,
  UNIQUE (chain_id, by, words)
);

-- Whoever acts here, by address.
CREATE TABLE agent (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  address       bytea  NOT NULL UNIQUE CHECK (length(address) = 20),
  name          text   NOT NULL,
  role          text   NOT NULL,
  registered_at bigint NOT NULL,
  suspended_at  bigint
);

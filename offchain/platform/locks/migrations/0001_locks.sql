-- Locks between instances, and the highest fencing token that has written under each name.

CREATE TABLE lock (
  name text PRIMARY KEY,
  holder text NOT NULL,
  fence bigint NOT NULL,
  -- Microseconds since 1970 by this server's clock, so that all instances mean the same.
  ends_at_us bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE lock_fence (
  name text PRIMARY KEY,
  fence bigint NOT NULL
) WITH (fillfactor = 50);

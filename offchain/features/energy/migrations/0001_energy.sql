-- Energy pools. Amounts of ATP and ADP are millionths; balances live on the ledger, these tables say
-- which lot, source and ticket they belong to.

CREATE TABLE society (
  id text PRIMARY KEY,
  owner bytea CHECK (octet_length(owner) = 20),
  created_at bigint NOT NULL
);

CREATE TABLE adp_issue (
  society_id text NOT NULL REFERENCES society,
  key text NOT NULL,
  owner bytea,
  amount numeric(38, 0) NOT NULL CHECK (amount > 0),
  issued_at bigint NOT NULL,
  PRIMARY KEY (society_id, key)
);

-- One thing, one society: the PRIMARY KEY is what keeps a panel from backing two pools.
CREATE TABLE energy_source (
  id text PRIMARY KEY,
  society_id text NOT NULL REFERENCES society,
  kind text NOT NULL,
  registered_at bigint NOT NULL
);
CREATE INDEX energy_source_society ON energy_source (society_id);

CREATE TABLE capacity_proof (
  source_id text NOT NULL REFERENCES energy_source,
  proven_at bigint NOT NULL,
  lapses_at bigint NOT NULL,
  effective_microwatts numeric(38, 0) NOT NULL CHECK (effective_microwatts >= 0),
  proof jsonb NOT NULL,
  filed_at bigint NOT NULL,
  PRIMARY KEY (source_id, proven_at)
);

CREATE TABLE energy_lot (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  society_id text NOT NULL REFERENCES society,
  source_id text NOT NULL REFERENCES energy_source,
  key text NOT NULL,
  charged numeric(38, 0) NOT NULL CHECK (charged > 0),
  available numeric(38, 0) NOT NULL CHECK (available >= 0),
  reserved numeric(38, 0) NOT NULL DEFAULT 0 CHECK (reserved >= 0),
  consumed numeric(38, 0) NOT NULL DEFAULT 0 CHECK (consumed >= 0),
  expired numeric(38, 0) NOT NULL DEFAULT 0 CHECK (expired >= 0),
  lifetime_ms bigint NOT NULL CHECK (lifetime_ms > 0),
  charged_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  UNIQUE (society_id, key),
  CHECK (charged = available + reserved + consumed + expired)
) WITH (fillfactor = 60);
CREATE INDEX energy_lot_open ON energy_lot (society_id, expires_at) WHERE available > 0 OR reserved > 0;
CREATE INDEX energy_lot_spoiling ON energy_lot (expires_at) WHERE available > 0;
CREATE INDEX energy_lot_wasted ON energy_lot (society_id, expires_at) WHERE expired > 100000000;

CREATE TABLE work_ticket (
  id uuid PRIMARY KEY,
  society_id text NOT NULL,
  key text NOT NULL,
  worker bytea NOT NULL CHECK (octet_length(worker) = 20),
  requester bytea CHECK (octet_length(requester) = 20),
  compute_type text NOT NULL,
  duration_ms bigint NOT NULL CHECK (duration_ms > 0),
  region text NOT NULL,
  profile text NOT NULL,
  description text NOT NULL,
  state text NOT NULL CHECK (state IN ('allocated', 'completed', 'failed', 'expired')),
  reserved numeric(38, 0) NOT NULL CHECK (reserved > 0),
  -- The ledger's pending transfer that holds the reserved ATP.
  hold_id text NOT NULL,
  created_at bigint NOT NULL,
  deadline_at bigint NOT NULL,
  resolved_at bigint,
  reason text,
  actual_ms bigint,
  quality_bps integer CHECK (quality_bps BETWEEN 0 AND 10000),
  credit numeric(38, 0),
  UNIQUE (society_id, key),
  CHECK ((state = 'allocated') = (resolved_at IS NULL)),
  CHECK ((state = 'completed') = (actual_ms IS NOT NULL AND quality_bps IS NOT NULL AND credit IS NOT NULL))
) WITH (fillfactor = 70);
CREATE INDEX work_ticket_due ON work_ticket (deadline_at) WHERE state = 'allocated';

-- What each ticket reserved, in the order in which it was drawn.
CREATE TABLE ticket_draw (
  ticket_id uuid NOT NULL,
  ordinal integer NOT NULL,
  lot_id bigint NOT NULL,
  amount numeric(38, 0) NOT NULL CHECK (amount > 0),
  PRIMARY KEY (ticket_id, ordinal)
);

-- Energy pools and footprints. Amounts of ATP and ADP are millionths; balances live on the ledger, these tables say
-- which lot, source and ticket they belong to.

create table energy_societies (
  id text primary key,
  owner bytea check (octet_length(owner) = 20),
  created_at bigint not null
);

create table energy_issues (
  society_id text not null references energy_societies,
  key text not null,
  owner bytea,
  amount numeric(38, 0) not null check (amount > 0),
  issued_at bigint not null,
  primary key (society_id, key)
);

-- One thing, one society: the primary key is what keeps a panel from backing two pools.
create table energy_sources (
  id text primary key,
  society_id text not null references energy_societies,
  kind text not null,
  registered_at bigint not null
);
create index energy_sources_society on energy_sources (society_id);

create table energy_proofs (
  source_id text not null references energy_sources,
  proven_at bigint not null,
  lapses_at bigint not null,
  effective_microwatts numeric(38, 0) not null check (effective_microwatts >= 0),
  proof jsonb not null,
  filed_at bigint not null,
  primary key (source_id, proven_at)
);

create table energy_lots (
  id bigint generated always as identity primary key,
  society_id text not null references energy_societies,
  source_id text not null references energy_sources,
  key text not null,
  charged numeric(38, 0) not null check (charged > 0),
  available numeric(38, 0) not null check (available >= 0),
  reserved numeric(38, 0) not null default 0 check (reserved >= 0),
  consumed numeric(38, 0) not null default 0 check (consumed >= 0),
  expired numeric(38, 0) not null default 0 check (expired >= 0),
  lifetime_ms bigint not null check (lifetime_ms > 0),
  charged_at bigint not null,
  expires_at bigint not null,
  unique (society_id, key),
  check (charged = available + reserved + consumed + expired)
) with (fillfactor = 60);
create index energy_lots_open on energy_lots (society_id, expires_at) where available > 0 or reserved > 0;
create index energy_lots_spoiling on energy_lots (expires_at) where available > 0;
create index energy_lots_wasted on energy_lots (society_id, expires_at) where expired > 100000000;

create table energy_tickets (
  id uuid primary key,
  society_id text not null,
  key text not null,
  worker bytea not null check (octet_length(worker) = 20),
  requester bytea check (octet_length(requester) = 20),
  compute_type text not null,
  duration_ms bigint not null check (duration_ms > 0),
  region text not null,
  profile text not null,
  description text not null,
  state text not null check (state in ('allocated', 'completed', 'failed', 'expired')),
  reserved numeric(38, 0) not null check (reserved > 0),
  -- The ledger's pending transfer that holds the reserved ATP.
  hold_id text not null,
  created_at bigint not null,
  deadline_at bigint not null,
  resolved_at bigint,
  reason text,
  actual_ms bigint,
  quality_bps integer check (quality_bps between 0 and 10000),
  credit numeric(38, 0),
  unique (society_id, key),
  check ((state = 'allocated') = (resolved_at is null)),
  check ((state = 'completed') = (actual_ms is not null and quality_bps is not null and credit is not null))
) with (fillfactor = 70);
create index energy_tickets_due on energy_tickets (deadline_at) where state = 'allocated';

-- What each ticket reserved, in the order in which it was drawn.
create table energy_draws (
  ticket_id uuid not null,
  ordinal integer not null,
  lot_id bigint not null,
  amount numeric(38, 0) not null check (amount > 0),
  primary key (ticket_id, ordinal)
);

create table carbon_footprints (
  ticket_id uuid primary key,
  worker bytea not null,
  region text not null,
  compute_type text not null,
  atp numeric(38, 0) not null,
  energy_mj numeric(38, 0) not null,
  co2_micrograms numeric(38, 0) not null,
  water_microlitres numeric(38, 0) not null,
  factor_value numeric(38, 0) not null,
  factor_region text not null,
  factor_source text not null,
  factor_year integer,
  -- A percentile has no mass, so it is never stored with one.
  factor_kind text not null check (factor_kind in ('average', 'marginal')),
  recorded_at bigint not null
);

-- Running totals by hour; removing old footprints changes none of them.
create table carbon_hours (
  starts_at bigint not null,
  worker bytea not null,
  region text not null,
  compute_type text not null,
  tickets bigint not null,
  atp numeric(38, 0) not null,
  energy_mj numeric(38, 0) not null,
  co2_micrograms numeric(38, 0) not null,
  water_microlitres numeric(38, 0) not null,
  primary key (starts_at, worker, region, compute_type)
) with (fillfactor = 60);
create index carbon_hours_worker on carbon_hours (worker);

-- What each piece of work cost in energy, CO2e and water, and the running totals that reports read.

CREATE TABLE footprint (
  ticket_id uuid PRIMARY KEY,
  worker bytea NOT NULL,
  region text NOT NULL,
  compute_type text NOT NULL,
  atp numeric(38, 0) NOT NULL,
  energy_millijoules numeric(38, 0) NOT NULL,
  co2_micrograms numeric(38, 0) NOT NULL,
  water_microlitres numeric(38, 0) NOT NULL,
  factor_value numeric(38, 0) NOT NULL,
  factor_region text NOT NULL,
  factor_source text NOT NULL,
  factor_year integer,
  -- A percentile has no mass, so it is never stored with one.
  factor_kind text NOT NULL CHECK (factor_kind IN ('average', 'marginal')),
  recorded_at bigint NOT NULL
);

-- Running totals by hour; removing old footprints changes none of them.
CREATE TABLE footprint_hour (
  starts_at bigint NOT NULL,
  worker bytea NOT NULL,
  region text NOT NULL,
  compute_type text NOT NULL,
  tickets bigint NOT NULL,
  atp numeric(38, 0) NOT NULL,
  energy_millijoules numeric(38, 0) NOT NULL,
  co2_micrograms numeric(38, 0) NOT NULL,
  water_microlitres numeric(38, 0) NOT NULL,
  PRIMARY KEY (starts_at, worker, region, compute_type)
) WITH (fillfactor = 60);
CREATE INDEX footprint_hour_worker ON footprint_hour (worker);

-- Running totals as summaries show them, of each worker and of all together (an empty worker): in all, by region, by
-- hardware and by hour. Removing old footprints changes none of them.
CREATE TABLE footprint_sum (
  worker            bytea NOT NULL,
  dimension         text  NOT NULL CHECK (dimension IN ('all', 'region', 'hardware', 'hour')),
  -- The region, the hardware, the hour's beginning in epoch ms; empty for `all`.
  value             text  NOT NULL,
  tickets           bigint NOT NULL,
  atp               numeric(38, 0) NOT NULL,
  energy_millijoules numeric(38, 0) NOT NULL,
  co2_micrograms    numeric(38, 0) NOT NULL,
  water_microlitres numeric(38, 0) NOT NULL,
  PRIMARY KEY (worker, dimension, value)
) WITH (fillfactor = 60);
-- The greatest emitters.
CREATE INDEX footprint_sum_emitters ON footprint_sum (co2_micrograms DESC, worker) WHERE dimension = 'all' AND worker <> '';

INSERT INTO footprint_sum
SELECT w.worker, d.dimension, d.value, sum(tickets), sum(atp), sum(energy_millijoules), sum(co2_micrograms), sum(water_microlitres)
FROM footprint_hour h
CROSS JOIN LATERAL (VALUES (''::bytea), (h.worker)) AS w(worker)
CROSS JOIN LATERAL (VALUES ('all', ''), ('region', h.region), ('hardware', h.compute_type), ('hour', h.starts_at::text)) AS d(dimension, value)
GROUP BY w.worker, d.dimension, d.value;
DROP TABLE footprint_hour;

CREATE TABLE events (
  producer integer NOT NULL, seq bigint NOT NULL, key text NOT NULL, value bigint NOT NULL,
  at timestamptz NOT NULL, note text NOT NULL
) WITH (connector = 'http', format = 'json', event_time = 'at', watermark_delay = '10 minutes',
        partition_by = 'producer');

CREATE MATERIALIZED VIEW per_key AS
SELECT key, count(*) AS n, sum(value) AS total, min(value) AS low, max(value) AS high
FROM events GROUP BY key;

CREATE MATERIALIZED VIEW per_minute AS
SELECT window_start, key, count(*) AS n, sum(value) AS total
FROM tumble(events, at, interval '1 minute') GROUP BY window_start, window_end, key;

CREATE MATERIALIZED VIEW per_minute_final WITH (emit = 'final') AS
SELECT window_start, key, count(*) AS n, sum(value) AS total
FROM tumble(events, at, interval '1 minute') GROUP BY window_start, window_end, key;

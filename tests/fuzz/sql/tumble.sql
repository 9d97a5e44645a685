CREATE TABLE c (u text NOT NULL, p numeric(12,2), at timestamptz, d date GENERATED ALWAYS AS (at::date) STORED) WITH (connector = 'http', event_time = 'at', watermark_delay = '5 seconds');
CREATE MATERIALIZED VIEW v WITH (emit = 'final') AS SELECT window_start, u, count(*) AS n, sum(p * 0.9) FROM tumble(c, at, interval '1 minute') WHERE u LIKE 'a%' GROUP BY 1, 2;

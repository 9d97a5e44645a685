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

-- Views over a view, a join of two views, and a join within an interval, in which each record finds
-- itself once.
CREATE MATERIALIZED VIEW totals AS
SELECT count(*) AS groups, sum(n)::bigint AS n, sum(total) AS total FROM per_minute;

CREATE MATERIALIZED VIEW minutes AS
SELECT window_start, sum(n)::bigint AS n FROM per_minute GROUP BY window_start;

CREATE MATERIALIZED VIEW shares AS
SELECT m.window_start, m.key, m.n, a.n AS of_all
FROM per_minute AS m JOIN minutes AS a ON m.window_start = a.window_start;

CREATE MATERIALIZED VIEW self_pairs AS
SELECT a.key, count(*) AS n, sum(b.value) AS total
FROM events AS a JOIN events AS b
  ON a.producer = b.producer AND a.seq = b.seq AND b.at BETWEEN a.at AND a.at + interval '1 minute'
GROUP BY a.key;

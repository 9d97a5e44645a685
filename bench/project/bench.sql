-- 230-byte records, as a web collector sends them.
CREATE TABLE clicks (
  id bigint NOT NULL, user_id text NOT NULL, session text NOT NULL, url text NOT NULL,
  referrer text, price numeric(12,2), sent bigint NOT NULL, at timestamptz NOT NULL
) WITH (connector = 'http', format = 'json', event_time = 'at', watermark_delay = '5 seconds');

CREATE MATERIALIZED VIEW clicks_per_minute AS
SELECT window_start, url, count(*) AS n
FROM tumble(clicks, at, interval '1 minute') GROUP BY window_start, window_end, url;

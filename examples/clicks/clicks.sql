-- Web clicks over HTTP, counted per minute.
CREATE TABLE clicks (
  user_id text NOT NULL,
  url     text NOT NULL,
  price   numeric(12,2),
  at      timestamptz NOT NULL
) WITH (connector = 'http', format = 'json', event_time = 'at', watermark_delay = '5 seconds');

-- Always up to date: changes as they come.
CREATE MATERIALIZED VIEW clicks_per_minute AS
SELECT window_start, url, count(*) AS n, sum(price) AS total
FROM tumble(clicks, at, interval '1 minute')
GROUP BY window_start, window_end, url;

-- Once per window, when no more clicks are expected for it.
CREATE MATERIALIZED VIEW final_clicks_per_minute WITH (emit = 'final') AS
SELECT window_start, url, count(*) AS n
FROM tumble(clicks, at, interval '1 minute')
GROUP BY window_start, window_end, url;

CREATE TABLE clicks (
  id bigint NOT NULL, user_id text NOT NULL, session text NOT NULL, url text NOT NULL,
  referrer text, price numeric(12,2), sent bigint NOT NULL, at timestamptz NOT NULL
) WITH (connector = 'http', format = 'json', event_time = 'at', watermark_delay = '5 seconds');

CREATE MATERIALIZED VIEW last_sent AS
SELECT url, count(*) AS n, max(sent) AS sent FROM clicks GROUP BY url;

CREATE TABLE clicks (
  id bigint NOT NULL, url text NOT NULL, sent bigint NOT NULL
) WITH (connector = 'http', format = 'json', partitions = 4);

CREATE MATERIALIZED VIEW per_url AS
SELECT url, count(*) AS n, max(sent) AS sent FROM clicks GROUP BY url;

-- Who has come and sold something within the same ten seconds.
CREATE MATERIALIZED VIEW q8 WITH (emit = 'final') AS
SELECT p.id, p.name, p.window_start
FROM (
  SELECT id, name, window_start
  FROM tumble(person, date_time, interval '10 seconds')
  GROUP BY id, name, window_start) AS p
JOIN (
  SELECT seller, window_start
  FROM tumble(auction, date_time, interval '10 seconds')
  GROUP BY seller, window_start) AS a
  ON p.id = a.seller AND p.window_start = a.window_start;

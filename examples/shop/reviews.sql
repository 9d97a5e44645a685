-- What visitors post.
CREATE TABLE reviews (
  user_id text NOT NULL,
  product text NOT NULL,
  stars   integer NOT NULL,
  at      timestamptz NOT NULL
) WITH (connector = 'http', format = 'json', event_time = 'at', watermark_delay = '5 seconds');

-- Always up to date: changes as they come.
CREATE MATERIALIZED VIEW stars_per_product AS
SELECT product, count(*) AS reviews, avg(stars) AS stars
FROM reviews
GROUP BY product;

-- Once per window, when no more reviews are expected for it.
CREATE MATERIALIZED VIEW reviews_per_minute WITH (emit = 'final') AS
SELECT window_start AS minute, count(*) AS reviews
FROM tumble(reviews, at, interval '1 minute')
GROUP BY window_start, window_end;

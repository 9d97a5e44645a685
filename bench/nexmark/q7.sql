-- The highest bids of every ten seconds.
CREATE MATERIALIZED VIEW q7 WITH (emit = 'final') AS
SELECT b.auction, b.price, b.bidder, b.date_time, b.extra
FROM tumble(bid, date_time, interval '10 seconds') AS b
JOIN (
  SELECT window_start, max(price) AS price
  FROM tumble(bid, date_time, interval '10 seconds')
  GROUP BY window_start) AS highest
  ON b.window_start = highest.window_start AND b.price = highest.price;

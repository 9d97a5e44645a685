-- The auctions with the most bids of the last ten seconds, every two seconds.
CREATE MATERIALIZED VIEW q5 WITH (emit = 'final') AS
WITH counted AS (
  SELECT window_start, window_end, auction, count(*) AS num
  FROM hop(bid, date_time, interval '2 seconds', interval '10 seconds')
  GROUP BY window_start, window_end, auction),
most AS (
  SELECT window_start, max(num) AS num
  FROM counted
  GROUP BY window_start)
SELECT counted.window_start, counted.window_end, counted.auction, counted.num
FROM counted JOIN most
  ON counted.window_start = most.window_start AND counted.num >= most.num;

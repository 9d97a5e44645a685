-- Prices in another currency.
CREATE MATERIALIZED VIEW q1 AS
SELECT auction, bidder, (0.908 * price)::numeric(23, 3) AS price, date_time, extra
FROM bid;

-- A web shop. Its clickstream, orders, customers and temperatures are made up (connector datagen), by the same
-- options always the same rows; with connector = 'http' or 'file' the views below stay as they are.

CREATE TABLE clicks (
  user_id text,
  url     text NOT NULL,
  at      timestamptz NOT NULL
) WITH (
  connector = 'datagen', rate = 500, event_time = 'at', watermark_delay = '5 seconds',
  out_of_order_share = '0.05', out_of_order_max = '5 seconds',
  user_id.kind = 'zipf', user_id.count = 1000, user_id.prefix = 'user-', user_id.null_share = '0.2',
  url.kind = 'choice', url.values = '/, /search, /cart, /help', url.weights = '6, 3, 2, 1'
);

CREATE TABLE orders (
  id       bigint NOT NULL,
  user_id  text NOT NULL,
  product  text NOT NULL,
  quantity integer NOT NULL,
  price    numeric(8,2) NOT NULL,
  amount   numeric(12,2) GENERATED ALWAYS AS (quantity * price) STORED,
  at       timestamptz NOT NULL
) WITH (
  connector = 'datagen', rate = 20, event_time = 'at', watermark_delay = '2 seconds',
  id.kind = 'sequence',
  user_id.kind = 'zipf', user_id.count = 1000, user_id.prefix = 'user-',
  product.kind = 'choice', product.values = 'book, lamp, chair, table', product.weights = '8, 4, 2, 1',
  quantity.min = 1, quantity.max = 4, price.min = '4.99', price.max = '199.99'
);

-- Records with the key of an earlier one replace it: people move.
CREATE TABLE customers (
  user_id text PRIMARY KEY,
  city    text NOT NULL
) WITH (
  connector = 'datagen', rate = 50,
  user_id.kind = 'sequence', user_id.max = 1000, user_id.prefix = 'user-',
  city.kind = 'choice', city.values = 'Berlin, Hamburg, Munich, Leipzig', city.weights = '4, 2, 2, 1'
);

-- One reading in a hundred comes up to a minute late, and with a delay of 5 seconds most of these too late.
CREATE TABLE temperatures (
  sensor  text NOT NULL,
  celsius double precision NOT NULL,
  at      timestamptz NOT NULL
) WITH (
  connector = 'datagen', rate = 50, event_time = 'at', watermark_delay = '5 seconds',
  out_of_order_share = '0.01', out_of_order_max = '1 minute',
  sensor.kind = 'choice', sensor.values = 'hall, cellar, roof', celsius.min = 2, celsius.max = 31
);

-- Always up to date: changes as they come.
CREATE MATERIALIZED VIEW clicks_per_minute AS
SELECT window_start AS minute, url, count(*) AS clicks, count(DISTINCT user_id) AS users
FROM tumble(clicks, at, interval '1 minute')
GROUP BY window_start, window_end, url;

-- A window slides: the last five minutes, every minute, once each is over.
CREATE MATERIALIZED VIEW busy_pages WITH (emit = 'final') AS
SELECT window_end AS until, url, count(*) AS clicks
FROM hop(clicks, at, interval '1 minute', interval '5 minutes')
GROUP BY window_start, window_end, url
HAVING count(*) > 100;

-- Each order beside its customer, as far as known; when a customer moves, the rows change.
CREATE MATERIALIZED VIEW order_details AS
SELECT orders.id, orders.product, orders.amount, customers.city
FROM orders LEFT JOIN customers ON orders.user_id = customers.user_id;

-- A view over a view: changes there are changes here.
CREATE MATERIALIZED VIEW revenue_per_city AS
SELECT coalesce(city, 'unknown') AS city, count(*) AS orders, sum(amount) AS revenue
FROM order_details
GROUP BY coalesce(city, 'unknown');

CREATE MATERIALIZED VIEW sales_per_minute WITH (emit = 'final') AS
SELECT window_start AS minute, product, sum(quantity) AS sold, sum(amount) AS revenue
FROM tumble(orders, at, interval '1 minute')
GROUP BY window_start, window_end, product;

-- Rows that came after their window was put out are in late$temperatures_per_minute.
CREATE MATERIALIZED VIEW temperatures_per_minute WITH (emit = 'final') AS
SELECT window_start AS minute, sensor, count(*) AS readings, min(celsius) AS coldest,
       avg(celsius) AS average, max(celsius) AS warmest
FROM tumble(temperatures, at, interval '1 minute')
GROUP BY window_start, window_end, sensor;

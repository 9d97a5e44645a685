CREATE TABLE t (a int) WITH (partitions = -3, kafka.group = 'x');
CREATE VIEW v AS SELECT DISTINCT a, sum(a) FILTER (WHERE a > 1) OVER () FROM t HAVING a = ANY (ARRAY[1]) ORDER BY 1 LIMIT 2;
WITH q AS (SELECT $1) SELECT x[1], (r).f FROM q JOIN LATERAL (VALUES (1)) AS z(k) ON true;

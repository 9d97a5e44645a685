CREATE TABLE t (i int, t text, j jsonb, at timestamptz);
CREATE VIEW v AS SELECT CASE WHEN i IN (1, -2, NULL) THEN i / 0 ELSE coalesce(i, 3) END AS a, j #>> '{a,1}' AS b, extract(hour from at) AS c, substring(t from 2 for 3) || 'x' AS d, NOT (i BETWEEN 1 AND 2) AS e FROM t;

#!/usr/bin/env python3
"""Compares the Nexmark queries with DuckDB: the same rows from the same file, and the time for it.

    bench/nexmark/against_duckdb.py [--events 200000] [--runs 1] [--threads N] [--queries q0,q5]

Makes a file of events and answers each query over it twice: with `millrace bench nexmark`, which
keeps the view up to date while it reads and commits exactly once, and with DuckDB, which scans the
file in one batch into a table on disk. The rows must be equal as multisets; more than a million are
only counted. With --runs the two take turns, and the table shows the median of the seconds. Needs
the Python package duckdb.

Exit status: 0 all rows are equal, 1 they are not, 77 there is no package duckdb.
"""

import collections
import pathlib
import statistics
import sys
import tempfile
import time

import peers

# The logical views over the file: only the columns that some query names.
VIEWS = """
CREATE VIEW events AS SELECT * FROM read_json('{file}', format = 'newline_delimited', columns = {{
  event_type: 'INTEGER',
  person: 'STRUCT(id BIGINT, name VARCHAR, city VARCHAR, state VARCHAR, "dateTime" TIMESTAMP)',
  auction: 'STRUCT(id BIGINT, seller BIGINT, category BIGINT, "dateTime" TIMESTAMP)',
  bid: 'STRUCT(auction BIGINT, bidder BIGINT, price BIGINT, "dateTime" TIMESTAMP, extra VARCHAR)'
}});
CREATE VIEW person AS SELECT person.id AS id, person.name AS name, person.city AS city,
  person.state AS state, person."dateTime" AS date_time FROM events WHERE event_type = 0;
CREATE VIEW auction AS SELECT auction.id AS id, auction.seller AS seller,
  auction.category AS category, auction."dateTime" AS date_time FROM events WHERE event_type = 1;
CREATE VIEW bid AS SELECT bid.auction AS auction, bid.bidder AS bidder, bid.price AS price,
  bid."dateTime" AS date_time, bid.extra AS extra FROM events WHERE event_type = 2;
"""

TUMBLED = "time_bucket(INTERVAL '10 seconds', date_time, TIMESTAMP '2000-01-01')"

# Written for a batch, by the semantics of the benchmark and not from the files beside this one.
QUERIES = {
    "q0": "SELECT auction, bidder, price, date_time, extra FROM bid",
    "q1": """SELECT auction, bidder, (0.908 * price)::DECIMAL(23, 3) AS price, date_time, extra
             FROM bid""",
    "q2": "SELECT auction, price FROM bid WHERE auction % 123 = 0",
    "q3": """SELECT p.name, p.city, p.state, a.id FROM auction a JOIN person p ON a.seller = p.id
             WHERE a.category = 10 AND p.state IN ('OR', 'ID', 'CA')""",
    "q5": """WITH hops AS (
               SELECT auction, time_bucket(INTERVAL '2 seconds', date_time, TIMESTAMP '2000-01-01')
                        - to_seconds(2 * step) AS window_start
               FROM bid, range(5) AS steps(step)),
             counted AS (
               SELECT window_start, window_start + INTERVAL '10 seconds' AS window_end, auction,
                      count(*) AS num
               FROM hops GROUP BY ALL)
             SELECT window_start, window_end, auction, num FROM counted
             QUALIFY num = max(num) OVER (PARTITION BY window_start)""",
    "q7": f"""SELECT auction, price, bidder, date_time, extra FROM bid
              QUALIFY price = max(price) OVER (PARTITION BY {TUMBLED})""",
    "q8": f"""SELECT p.id, p.name, p.window_start
              FROM (SELECT DISTINCT id, name, {TUMBLED} AS window_start FROM person) p
              JOIN (SELECT DISTINCT seller, {TUMBLED} AS window_start FROM auction) a
              ON p.id = a.seller AND p.window_start = a.window_start""",
}


def run_duckdb(duckdb, file, query, threads, folder):
    """Returns the seconds and the rows."""
    connection = duckdb.connect(str(folder / f"{query}.duckdb"))
    connection.execute(f"SET threads = {threads}; SET preserve_insertion_order = false")
    connection.execute(VIEWS.format(file=file))
    begun = time.monotonic()
    connection.execute(f"CREATE TABLE answer AS {QUERIES[query]}")
    connection.execute("CHECKPOINT")
    seconds = time.monotonic() - begun
    count = connection.execute("SELECT count(*) FROM answer").fetchone()[0]
    rows = connection.execute("SELECT * FROM answer").fetchall() if count <= peers.ROWS_MAX else []
    connection.close()
    (folder / f"{query}.duckdb").unlink()
    return seconds, count, collections.Counter(tuple(map(peers.plain, row)) for row in rows)


def compare(duckdb, options, query, file, folder):
    """Returns a line of the table, and what is different or None."""
    seconds = {"millrace": [], "duckdb": []}
    found = None
    for _ in range(options.runs):
        report, ours = peers.run_millrace(options, file, query, options.threads, folder)
        theirs_seconds, count, theirs = run_duckdb(duckdb, file, query, options.threads, folder)
        seconds["millrace"].append(report["seconds"])
        seconds["duckdb"].append(theirs_seconds)
        found = found or peers.difference(report["rows"], ours, "DuckDB", count, theirs)
    mine, other = statistics.median(seconds["millrace"]), statistics.median(seconds["duckdb"])
    return (f"{query:5} {count:9} {mine:9.2f} {other:9.2f} {other / mine:7.2f}  "
            f"{peers.verdict(found, count)}", found)


def main():
    parser = peers.parser(__doc__, QUERIES)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    try:
        import duckdb
    except ImportError:
        print("against_duckdb: NOT RUN: there is no Python package duckdb", file=sys.stderr)
        return peers.EXIT_NOT_RUN
    with tempfile.TemporaryDirectory(prefix="millrace-duckdb-") as name:
        folder = pathlib.Path(name)
        file = peers.events_file(options, folder)
        print(f"DuckDB {duckdb.__version__}, {options.threads} threads, median of {options.runs}")
        print("query      rows  millrace    duckdb   ratio  rows")
        return peers.print_table(
            options.queries, lambda query: compare(duckdb, options, query, file, folder))


if __name__ == "__main__":
    peers.main(main)

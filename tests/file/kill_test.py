#!/usr/bin/env python3
"""Kills Millrace with SIGKILL while it reads files, and checks that every line counts once.

One table reads a bounded input: plain files, a compressed one and bad lines. Another reads CSV
with line ends in its fields. A third follows a file that is written, renamed and compressed all the
time.
"""

import argparse
import collections
import csv
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile

from running import Failure, Millrace, wait_until

SQL = """
CREATE TABLE bounded (k text NOT NULL, n bigint NOT NULL, at timestamptz NOT NULL)
  WITH (connector = 'file', path = '{bounded}/*', event_time = 'at', partitions = 3);
CREATE MATERIALIZED VIEW bounded_counts AS
  SELECT k, count(*) AS lines, sum(n) AS total FROM bounded GROUP BY k;
CREATE MATERIALIZED VIEW bounded_final WITH (emit = 'final') AS
  SELECT window_start, count(*) AS lines
  FROM tumble(bounded, at, interval '1 minute') GROUP BY window_start;
CREATE TABLE sheets (k text NOT NULL, n bigint NOT NULL, at timestamptz NOT NULL)
  WITH (connector = 'file', path = '{sheets}/*', format = 'csv', event_time = 'at', partitions = 2);
CREATE MATERIALIZED VIEW sheet_counts AS
  SELECT k, count(*) AS lines, sum(n) AS total FROM sheets GROUP BY k;
CREATE TABLE followed (k text NOT NULL, n bigint NOT NULL, at timestamptz NOT NULL)
  WITH (connector = 'file', path = '{followed}/log*', mode = 'follow', event_time = 'at',
        poll_interval = '20 ms');
CREATE MATERIALIZED VIEW followed_counts AS
  SELECT k, count(*) AS lines, sum(n) AS total FROM followed GROUP BY k;
"""
FILES = 5


class Expected:
    """What was written, counted as the views should."""

    def __init__(self, key="key-{}"):
        self.key = key
        self.counts = collections.Counter()
        self.totals = collections.Counter()
        self.minutes = collections.Counter()

    def line(self, rng, second):
        key, n = self.key.format(rng.randrange(50)), rng.randrange(-1000, 1000)
        self.counts[key] += 1
        self.totals[key] += n
        minute = f"2026-01-01T{second // 3600:02}:{second // 60 % 60:02}"
        self.minutes[f"{minute}:00Z"] += 1
        return json.dumps({"k": key, "n": n, "at": f"{minute}:{second % 60:02}Z"}) + "\n"

    def check(self, rows):
        got = {row["k"]: (row["lines"], int(row["total"])) for row in rows}
        return got == {key: (n, self.totals[key]) for key, n in self.counts.items()}


def write_bounded(directory, rng, lines, expected):
    """Files that cover the same time, so that none may run ahead of another. Returns bad lines."""
    os.makedirs(directory)
    bad = 0
    for number in range(FILES):
        text = []
        for i in range(lines):
            if rng.random() < 0.0005:
                text.append("not a record\n")
                bad += 1
            text.append(expected.line(rng, i * 10_000 // lines))
        compressed = number == 0
        path = os.path.join(directory, f"part-{number}" + (".gz" if compressed else ""))
        with (gzip.open if compressed else open)(path, "wt") as out:
            out.writelines(text)
    return bad


def write_sheets(directory, rng, lines, expected):
    """CSV files with a header, whose keys hold line ends, quotes and what looks like a record.
    Returns bad records."""
    os.makedirs(directory)
    bad = 0
    for number in range(2):
        compressed = number == 0
        path = os.path.join(directory, f"sheet-{number}.csv" + (".gz" if compressed else ""))
        with (gzip.open if compressed else open)(path, "wt", newline="") as out:
            writer = csv.writer(out)
            columns = ["at", "unused", "k", "n"] if compressed else ["k", "n", "at"]
            writer.writerow(columns)
            for i in range(lines // 2):
                if rng.random() < 0.0005:
                    writer.writerow(["not", "a"])
                    bad += 1
                record = json.loads(expected.line(rng, i // 10)) | {"unused": "\n\""}
                writer.writerow([record[column] for column in columns])
    return bad


class Rotating:
    """A log that is written and rotated: log -> log.1 -> log.2.gz."""

    def __init__(self, directory, rng, expected):
        os.makedirs(directory)
        self.path, self.rng, self.expected, self.rotations = directory + "/log", rng, expected, 0
        self.second = 0

    def write(self, lines):
        with open(self.path, "a", encoding="utf-8") as log:
            for _ in range(lines):
                self.second += 1
                log.write(self.expected.line(self.rng, self.second // 100))

    def rotate(self):
        previous = self.path + ".1"
        if os.path.exists(previous):
            self.rotations += 1
            os.rename(previous, f"{self.path}.{self.rotations + 1}")
            subprocess.run(["gzip", f"{self.path}.{self.rotations + 1}"], check=True)
        os.rename(self.path, previous)


def accounted(metrics, view):
    """Whether in = accepted + filtered + late + failed."""
    values = {}
    for line in metrics.decode().splitlines():
        name = line.split("{")[0]
        if name.startswith("millrace_view_") and f'view="{view}"' in line:
            values[name[len("millrace_view_"):]] = float(line.split()[-1])
    parts = ("accepted", "filtered", "late", "failed")
    return values["in_rows_total"] == sum(values[f"{part}_rows_total"] for part in parts)


def run(binary, lines, kills, rng, work):
    bounded, followed = Expected(), Expected()
    sheets = Expected('a,"key"\r\n1,2,3\n"{}"\n')
    bad_records = write_sheets(os.path.join(work, "sheets"), rng, lines, sheets)
    bad = write_bounded(os.path.join(work, "bounded"), rng, lines, bounded)
    log = Rotating(os.path.join(work, "followed"), rng, followed)
    project = os.path.join(work, "project")
    os.mkdir(project)
    with open(os.path.join(project, "test.sql"), "w", encoding="utf-8") as sql:
        sql.write(SQL.format(bounded=os.path.join(work, "bounded"),
                             sheets=os.path.join(work, "sheets"),
                             followed=os.path.join(work, "followed")))
    server = Millrace(binary, project, work)
    midway = 0
    for _ in range(kills):
        server.start()
        target = rng.randrange(1 + sum(bounded.counts.values()))
        wait = iter(range(rng.randrange(1, 8)))

        def progressed():
            log.write(1 + rng.randrange(200))
            if rng.random() < 0.3:
                log.rotate()
            read = sum(row["lines"] for row in server.rows("bounded_counts"))
            return read >= target or next(wait, None) is None

        wait_until(progressed, "progress")
        read = sum(row["lines"] for row in server.rows("bounded_counts"))
        midway += 0 < read < sum(bounded.counts.values())
        server.kill()
    server.start()
    try:
        for name, expected in (("bounded_counts", bounded), ("sheet_counts", sheets),
                               ("followed_counts", followed)):
            wait_until(lambda n=name, e=expected: e.check(server.rows(n)), f"the counts of {name}")
        for table, count in (("bounded", bad), ("sheets", bad_records)):
            errors = server.get(
                f"/api/v1/streams/errors${table}/records?limit={count + 10}")["records"]
            if len(errors) != count:
                raise Failure(f"{len(errors)} error rows of {table} instead of {count}")
        wait_until(lambda: dict(bounded.minutes) == {
            row["window_start"]: row["lines"] for row in server.rows("bounded_final")},
            "the final windows")
        late = server.get("/api/v1/streams/late$bounded_final/records?limit=10")["records"]
        if late:
            raise Failure(f"rows that came late: {late}")
        metrics = server.get("/api/v1/metrics")
        for view in ("bounded_counts", "bounded_final", "sheet_counts", "followed_counts"):
            if not accounted(metrics, view):
                raise Failure(f"rows of {view} are not accounted for")
    finally:
        server.stop()
    print(f"{kills} kills, {midway} of them midway, {log.rotations} rotations: "
          f"{sum(bounded.counts.values())} + {sum(followed.counts.values())} lines, "
          f"{sum(sheets.counts.values())} records of CSV and {bad} + {bad_records} bad ones, "
          "each once")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--lines", type=int, default=60_000, help="of each bounded file")
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="millrace-files-") as work:
        try:
            run(arguments.binary, arguments.lines, arguments.kills,
                random.Random(arguments.seed), work)
        except Failure as failure:
            log = os.path.join(work, "millrace.log")
            tail = open(log, encoding="utf-8").read()[-2000:] if os.path.exists(log) else ""
            sys.exit(f"FAILED: {failure}\n{tail}")


if __name__ == "__main__":
    main()

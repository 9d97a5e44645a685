#!/usr/bin/env python3
"""Kills Millrace with SIGKILL while it writes files, and checks that they hold each row once.

One sink takes the records of a table as JSON lines, one the final windows of a view as CSV, one the
changes of a view, and one the rows of a query.
"""

import argparse
import collections
import csv
import json
import os
import random
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "file"))

from running import Failure, Millrace, wait_until  # noqa: E402

SQL = """
CREATE TABLE made (id bigint NOT NULL, k text, at timestamptz NOT NULL)
  WITH (connector = 'datagen', rows = {rows}, rate = {rate}, time_step = '1 ms',
        start_time = '2026-01-01', id.kind = 'sequence', k.kind = 'choice', k.values = 'a, b, c',
        event_time = 'at', partitions = 3);
CREATE MATERIALIZED VIEW seconds WITH (emit = 'final') AS
  SELECT window_start, k, count(*) AS n FROM tumble(made, at, interval '1 second')
  GROUP BY window_start, k;
CREATE MATERIALIZED VIEW counts AS SELECT k, count(*) AS n FROM made GROUP BY k;

CREATE TABLE all_rows (id bigint, k text, at timestamptz)
  WITH (connector = 'file', path = '{out}/all', flush_interval = '20 ms');
INSERT INTO all_rows SELECT * FROM made;
CREATE TABLE windows (second timestamptz, k text, n bigint)
  WITH (connector = 'file', path = '{out}/windows', format = 'csv', flush_interval = '20 ms');
INSERT INTO windows SELECT * FROM seconds;
CREATE TABLE changes (k text, n bigint)
  WITH (connector = 'file', path = '{out}/changes', change_column = 'op', flush_interval = '20 ms');
INSERT INTO changes SELECT * FROM counts;
CREATE TABLE even (id bigint)
  WITH (connector = 'file', path = '{out}/even', flush_interval = '20 ms');
INSERT INTO even SELECT id FROM made WHERE id % 2 = 0;
CREATE TABLE nothing (k text, n bigint) WITH (connector = 'blackhole');
INSERT INTO nothing SELECT * FROM counts;
"""


def parts(directory):
    """The contents of the parts that count, in order, by partition: docs/connectors/file.md."""
    try:
        with open(os.path.join(directory, "MANIFEST.json"), encoding="utf-8") as file:
            positions = json.load(file)["positions"]
    except FileNotFoundError:
        return {}
    found = collections.defaultdict(list)
    ends = collections.defaultdict(int)
    for name in sorted(os.listdir(directory)):
        if not name.startswith("part-") or name.endswith(".tmp"):
            continue
        partition, begin, end = name[len("part-"):].split(".")[0].split("-")
        if int(end) > positions.get(str(int(partition)), 0):
            continue
        if int(begin) < ends[partition]:
            raise Failure(f"{directory}/{name} begins before the part before it ends")
        ends[partition] = int(end)
        with open(os.path.join(directory, name), encoding="utf-8", newline="") as file:
            found[int(partition)].append(file.read())
    return found


def json_rows(directory):
    return {partition: [json.loads(line) for text in texts for line in text.splitlines()]
            for partition, texts in parts(directory).items()}


def csv_rows(directory):
    return [row for texts in parts(directory).values() for text in texts
            for row in csv.DictReader(text.splitlines(keepends=True))]


def net(directory):
    """What the changes amount to; no row may be taken back that is not there."""
    rows = collections.Counter()
    for changes in json_rows(directory).values():
        for change in changes:
            rows[change["k"], change["n"]] += 1 if change["op"] == "insert" else -1
            if rows[change["k"], change["n"]] < 0:
                raise Failure(f"{change} takes back what is not there")
    return {key for key, count in rows.items() if count}


def check_sequence(directory, ids):
    got = json_rows(directory)
    for rows in got.values():
        if [row["id"] for row in rows] != sorted(row["id"] for row in rows):
            raise Failure(f"{directory}: a partition is out of order")
    return sorted(row["id"] for rows in got.values() for row in rows) == ids


def run(binary, rows, kills, rng, work):
    out = os.path.join(work, "out")
    project = os.path.join(work, "project")
    os.mkdir(project)
    with open(os.path.join(project, "test.sql"), "w", encoding="utf-8") as sql:
        sql.write(SQL.replace("{rows}", str(rows)).replace("{rate}", str(rows // 4))
                  .replace("{out}", out))
    server = Millrace(binary, project, work)
    midway = 0

    def written():
        return sum(len(part) for part in json_rows(f"{out}/all").values())

    for _ in range(kills):
        server.start()
        target = rng.randrange(rows)
        wait = iter(range(rng.randrange(1, 40)))
        wait_until(lambda t=target, w=wait: written() >= t or next(w, None) is None, "progress")
        server.kill()
        midway += 0 < written() < rows
    server.start()
    try:
        ids = list(range(1, rows + 1))
        wait_until(lambda: check_sequence(f"{out}/all", ids), "all rows")
        wait_until(lambda: check_sequence(f"{out}/even", ids[1::2]), "all even rows")
        wait_until(lambda: net(f"{out}/changes") ==
                   {(row["k"], row["n"]) for row in server.rows("counts")}, "the counts")
        final = sorted((row["window_start"], row["k"], str(row["n"]))
                       for row in server.rows("seconds"))
        wait_until(lambda: sorted((row["second"], row["k"], row["n"])
                                  for row in csv_rows(f"{out}/windows")) == final, "the windows")
        states = server.get("/api/v1/health")["sinks"]
        if set(states) != {"all_rows", "windows", "changes", "even", "nothing"}:
            raise Failure(f"health knows of {states}")
    finally:
        server.stop()
    if midway == 0:
        raise Failure("no kill came midway: the test no longer tries what it says")
    print(f"{kills} kills, {midway} of them midway: {rows} rows in 4 sinks, each once")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="millrace-sinks-") as work:
        try:
            run(os.path.abspath(options.binary), options.rows, options.kills,
                random.Random(options.seed), work)
        except Failure as failure:
            print(f"FAILED with seed {options.seed}: {failure}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

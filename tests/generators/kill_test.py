#!/usr/bin/env python3
"""Kills Millrace with SIGKILL while it makes rows, and checks that each row counts once.

What the Nexmark table must have comes from a file that `bench nexmark --generate` writes; two
tables of `datagen` with the same options must have the same rows, and their sequence without a gap.
"""

import argparse
import collections
import json
import os
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "file"))

from running import Failure, Millrace, wait_until  # noqa: E402

SQL = """
CREATE TABLE events (event_type integer NOT NULL, bid_auction bigint, bid_price bigint,
                     auction_seller bigint, person_state text, date_time timestamptz NOT NULL)
  WITH (connector = 'nexmark', events = {events}, throughput = {throughput}, seed = {seed},
        event_time = 'date_time', watermark_delay = '4 seconds', partitions = 3);
CREATE MATERIALIZED VIEW kinds AS
  SELECT event_type, count(*) AS n, sum(bid_price) AS price, sum(auction_seller) AS seller
  FROM events GROUP BY event_type;
CREATE MATERIALIZED VIEW states AS
  SELECT person_state, count(*) AS n FROM events WHERE event_type = 0 GROUP BY person_state;
CREATE MATERIALIZED VIEW seconds WITH (emit = 'final') AS
  SELECT window_start, count(*) AS n FROM tumble(events, date_time, interval '1 second')
  GROUP BY window_start;
"""

# The same rows in other partitions and at another rate.
MADE = """
CREATE TABLE {name} (id bigint NOT NULL, user_id text, price numeric(8,2), at timestamptz NOT NULL)
  WITH (connector = 'datagen', rows = {events}, rate = {rate}, seed = {seed}, time_step = '1 ms',
        start_time = '2026-01-01', out_of_order_share = '0.1', out_of_order_max = '2 s',
        id.kind = 'sequence', user_id.kind = 'zipf', user_id.count = 50, user_id.prefix = 'user-',
        user_id.null_share = '0.01', price.max = '99.99',
        event_time = 'at', watermark_delay = '2 seconds', partitions = {partitions});
CREATE MATERIALIZED VIEW {name}_users AS
  SELECT user_id, count(*) AS n, sum(id) AS ids, sum(price) AS total, max(at) AS last
  FROM {name} GROUP BY user_id;
CREATE MATERIALIZED VIEW {name}_seconds WITH (emit = 'final') AS
  SELECT window_start, count(*) AS n, sum(id) AS ids
  FROM tumble({name}, at, interval '1 second') GROUP BY window_start;
"""


def expected_of(binary, events, seed, work):
    """The views' rows, from the events in a file."""
    path = os.path.join(work, "events.ndjson")
    subprocess.run([binary, "bench", "nexmark", "--generate", path, "--events", str(events),
                    "--seed", str(seed)], check=True, stderr=subprocess.DEVNULL)
    kinds = [collections.Counter() for _ in range(3)]
    states, seconds = collections.Counter(), collections.Counter()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            kind = event["event_type"]
            fields = event[("person", "auction", "bid")[kind]]
            kinds[kind]["n"] += 1
            kinds[kind]["price"] += fields["price"] if kind == 2 else 0
            kinds[kind]["seller"] += fields["seller"] if kind == 1 else 0
            seconds[fields["dateTime"][:19].replace(" ", "T") + "Z"] += 1
            if kind == 0:
                states[fields["state"]] += 1
    return kinds, states, seconds


def kinds_of(server):
    rows = {row["event_type"]: row for row in server.rows("kinds")}
    return [collections.Counter(n=rows[kind]["n"], price=int(rows[kind]["price"] or 0),
                                seller=int(rows[kind]["seller"] or 0)) if kind in rows else None
            for kind in range(3)]


def made(server):
    return sum(row["n"] for row in server.rows("kinds"))


def check_twins(server, events):
    """Whether both tables of datagen have all rows, and the same ones."""
    for view in ("users", "seconds"):
        column = "user_id" if view == "users" else "window_start"
        def counted(name, view=view):
            return sum(row["n"] for row in server.rows(f"{name}_{view}"))

        wait_until(lambda: counted("made") >= events and counted("twin") >= events,
                   f"all rows in {view}")
        rows = [sorted(server.rows(f"{name}_{view}"), key=lambda row: str(row[column]))
                for name in ("made", "twin")]
        if rows[0] != rows[1]:
            raise Failure(f"{view} of equal tables differ: {rows[0][:3]} and {rows[1][:3]}")
        total = [sum(int(row[column]) for row in rows[0]) for column in ("n", "ids")]
        if total != [events, events * (events + 1) // 2]:
            raise Failure(f"{view}: {total[0]} rows instead of {events}, or others")
    if len(server.rows("made_users")) != 51:
        raise Failure("not all users")


def run(binary, events, kills, seed, work):
    rng = random.Random(seed)
    kinds, states, seconds = expected_of(binary, events, seed, work)
    project = os.path.join(work, "project")
    os.mkdir(project)
    with open(os.path.join(project, "test.sql"), "w", encoding="utf-8") as sql:
        sql.write(SQL.format(events=events, throughput=events // 4, seed=seed))
        for name, partitions, rate in (("made", 3, events // 4), ("twin", 1, events // 3)):
            sql.write(MADE.format(name=name, events=events, rate=rate, seed=seed,
                                  partitions=partitions))
    server = Millrace(binary, project, work)
    midway = 0
    for _ in range(kills):
        server.start()
        goal = made(server) + rng.randrange(events // kills)
        wait_until(lambda g=goal: made(server) >= min(g, events), "progress")
        midway += 0 < made(server) < events
        server.kill()
    server.start()
    try:
        wait_until(lambda: made(server) >= events, "all events")
        wait_until(lambda: dict(seconds) == {
            row["window_start"]: row["n"] for row in server.rows("seconds")}, "the final windows")
        if kinds_of(server) != [collections.Counter(n=k["n"], price=k["price"],
                                                    seller=k["seller"]) for k in kinds]:
            raise Failure(f"kinds are {kinds_of(server)} instead of {kinds}")
        got = {row["person_state"]: row["n"] for row in server.rows("states")}
        if got != dict(states):
            raise Failure(f"states are {got} instead of {dict(states)}")
        check_twins(server, events)
        for view in ("seconds", "made_seconds", "twin_seconds"):
            late = server.get(f"/api/v1/streams/late${view}/records?limit=10")["records"]
            if late:
                raise Failure(f"rows of {view} that came late: {late}")
    finally:
        server.stop()
    if midway == 0:
        raise Failure("no kill was midway")
    print(f"{kills} kills, {midway} of them midway: {events} events and twice as many rows, "
          "each once")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--events", type=int, default=120_000)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="millrace-generators-") as work:
        try:
            run(arguments.binary, arguments.events, arguments.kills, arguments.seed, work)
        except Failure as failure:
            log = os.path.join(work, "millrace.log")
            tail = open(log, encoding="utf-8").read()[-2000:] if os.path.exists(log) else ""
            sys.exit(f"FAILED: {failure}\n{tail}")


if __name__ == "__main__":
    main()

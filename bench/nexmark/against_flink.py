#!/usr/bin/env python3
"""Compares the Nexmark queries with Apache Flink: the same rows from the same file, and its cost.

    bench/nexmark/against_flink.py [--events 200000] [--runs 1] [--parallelism 2] [--queries q0,q5]

Both keep the answer up to date while they read the file, with exactly-once commits. Flink runs on
a cluster in one Java process (flink/, which Maven builds into build/peers/flink), as nexmark-flink
configures it where that is possible: SETTINGS says what is not its default. In favour of Flink:

- Its time and processor time begin with the planned job, in a process that has run the same job
  once before, so that its code is compiled; --cold measures a first job. Millrace's begin with
  the start of its process.
- Its rows go to a blackhole. The job before writes them to files, and these are compared: they
  must be equal as multisets; more than a million are only counted.
- Its table has only the columns that some query names.
- Nothing waits for a last checkpoint after the input has ended.

Flink reads a local file with one reader. So the file is dealt out in small blocks to as many files
as there are readers: the times in each one rise as they do in all, and no row comes late.

With --runs the two take turns, and the table shows the medians. Needs Java 17 and Maven.

Exit status: 0 all rows are equal, 1 they are not, 77 there is no Java or Maven.
"""

import contextlib
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

import peers

PROJECT = pathlib.Path(__file__).resolve().parent / "flink"
BUILT = peers.ROOT / "build" / "peers" / "flink"
BLOCK_BYTES = 1 << 18
LOG_LINES = 40
HEADER = """\
                         seconds             CPU s per M          peak MiB     Flink's
query      rows  millrace     flink   ratio  millrace  flink  millrace  flink  commits  rows"""
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,3})?")

JAVA = ("java", "-Xmx4g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
SETTINGS = {
    "execution.runtime-mode": "STREAMING",
    "execution.checkpointing.mode": "EXACTLY_ONCE",
    "execution.checkpointing.incremental": "true",
    "execution.checkpointing.checkpoints-after-tasks-finish": "false",
    "pipeline.object-reuse": "true",
    "restart-strategy.type": "none",
    # A cluster in one process has 128 MiB for RocksDB and 64 for the network if nothing is said.
    "taskmanager.memory.managed.size": "2g",
    "taskmanager.memory.network.min": "256m",
    "taskmanager.memory.network.max": "256m",
}
MINI_BATCH = {
    "table.exec.mini-batch.enabled": "true",
    "table.exec.mini-batch.allow-latency": "2s",
    "table.exec.mini-batch.size": "50000",
}

EVENTS = """
CREATE TABLE events (
  event_type INT,
  person ROW<id BIGINT, name STRING, city STRING, state STRING, `dateTime` TIMESTAMP(3)>,
  auction ROW<id BIGINT, seller BIGINT, category BIGINT, `dateTime` TIMESTAMP(3)>,
  bid ROW<auction BIGINT, bidder BIGINT, price BIGINT, `dateTime` TIMESTAMP(3), extra STRING>,
  date_time AS CASE WHEN event_type = 0 THEN person.`dateTime`
                    WHEN event_type = 1 THEN auction.`dateTime`
                    ELSE bid.`dateTime` END,
  WATERMARK FOR date_time AS date_time - INTERVAL '4' SECOND
) WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'json')"""
VIEWS = (
    """CREATE VIEW person AS SELECT person.id, person.name, person.city, person.state, date_time
       FROM events WHERE event_type = 0""",
    """CREATE VIEW auction AS SELECT auction.id, auction.seller, auction.category, date_time
       FROM events WHERE event_type = 1""",
    """CREATE VIEW bid AS SELECT bid.auction, bid.bidder, bid.price, date_time, bid.extra
       FROM events WHERE event_type = 2""")


def tumbled(table):
    return f"TABLE(TUMBLE(TABLE {table}, DESCRIPTOR(date_time), INTERVAL '10' SECOND))"


# Joins of windows, whose state goes with the window. nexmark-flink's own q7 joins all bids with the
# windows and keeps both for ever; over 2 million events it was not faster, over less it was a bit.
QUERIES = {
    "q0": "SELECT auction, bidder, price, date_time, extra FROM bid",
    "q1": "SELECT auction, bidder, 0.908 * price AS price, date_time, extra FROM bid",
    "q2": "SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0",
    "q3": """SELECT p.name, p.city, p.state, a.id FROM auction AS a JOIN person AS p
             ON a.seller = p.id WHERE a.category = 10 AND p.state IN ('OR', 'ID', 'CA')""",
    "q5": """WITH counted AS (
               SELECT window_start, window_end, auction, COUNT(*) AS num
               FROM TABLE(HOP(TABLE bid, DESCRIPTOR(date_time),
                              INTERVAL '2' SECOND, INTERVAL '10' SECOND))
               GROUP BY window_start, window_end, auction),
             most AS (
               SELECT window_start, window_end, MAX(num) AS num
               FROM counted GROUP BY window_start, window_end)
             SELECT counted.window_start, counted.window_end, counted.auction, counted.num
             FROM counted JOIN most
             ON counted.window_start = most.window_start AND counted.window_end = most.window_end
               AND counted.num >= most.num""",
    "q7": f"""SELECT b.auction, b.price, b.bidder, b.date_time, b.extra
              FROM (SELECT * FROM {tumbled("bid")}) AS b
              JOIN (SELECT window_start, window_end, MAX(price) AS price
                    FROM {tumbled("bid")} GROUP BY window_start, window_end) AS highest
              ON b.window_start = highest.window_start AND b.window_end = highest.window_end
                AND b.price = highest.price""",
    "q8": f"""SELECT p.id, p.name, p.window_start
              FROM (SELECT id, name, window_start, window_end FROM {tumbled("person")}
                    GROUP BY id, name, window_start, window_end) AS p
              JOIN (SELECT seller, window_start, window_end FROM {tumbled("auction")}
                    GROUP BY seller, window_start, window_end) AS a
              ON p.id = a.seller AND p.window_start = a.window_start
                AND p.window_end = a.window_end""",
}


def build():
    """Lets Maven build the program that runs a query, where it is missing or old."""
    jar = BUILT / "flink-peer.jar"
    sources = [PROJECT / "pom.xml", *PROJECT.rglob("*.java")]
    if not jar.exists() or jar.stat().st_mtime < max(file.stat().st_mtime for file in sources):
        print(f"Maven builds {jar}", file=sys.stderr)
        shutil.rmtree(BUILT, ignore_errors=True)
        peers.run(["mvn", "--quiet", "--batch-mode", "-Dstyle.color=never", "--file",
                   PROJECT / "pom.xml", "package"], stderr=subprocess.STDOUT)


def flink_version():
    return next((BUILT / "lib").glob("flink-core-[0-9]*.jar")).stem.rpartition("-")[2]


def deal_out(file, parts, folder):
    """Deals the lines out to `parts` files in a new folder, and returns it."""
    folder.mkdir()
    with contextlib.ExitStack() as files:
        lines = files.enter_context(open(file, "rb"))
        written = [files.enter_context(open(folder / f"{part}.ndjson", "wb"))
                   for part in range(parts)]
        part = 0
        while block := lines.readlines(BLOCK_BYTES):
            written[part].writelines(block)
            part = (part + 1) % parts
    return folder


def run_flink(options, events, query, folder):
    """Returns the report, the number of rows, and the rows; the last two are None if --cold."""
    settings = SETTINGS | (MINI_BATCH if options.mini_batch else {}) | {
        "parallelism.default": options.parallelism,
        "state.backend.type": options.state,
        "execution.checkpointing.interval": f"{options.checkpoint_seconds}s",
        "execution.checkpointing.dir": (folder / "checkpoints").as_uri(),
        "io.tmp.dirs": folder,
    }
    tables = (EVENTS.format(path=events), *VIEWS)
    rows = folder / "rows"
    command = [*JAVA, f"-Djava.io.tmpdir={folder}", "-cp",
               f"{BUILT / 'flink-peer.jar'}:{BUILT / 'lib'}/*", "millrace.bench.RunQuery",
               *(f"-D{key}={value}" for key, value in settings.items()),
               *(word for table in tables for word in ("--table", table)),
               "--query", QUERIES[query], *(() if options.cold else ("--rows", rows))]
    with open(folder / "log", "w+", encoding="utf-8") as log:
        try:
            report = json.loads(peers.run(command, stderr=log))
        except subprocess.CalledProcessError:
            log.seek(0)
            sys.stderr.writelines(log.readlines()[-LOG_LINES:])
            raise
    if options.cold:
        return report, None, None
    return report, *peers.read_rows(sorted(rows.glob("part-*")), value=moment)


def moment(value):
    """Flink's times have no zeros at the end."""
    if not isinstance(value, str) or not TIME.fullmatch(value):
        return value
    second, _, fraction = value.partition(".")
    return f"{second}.{fraction:0<3}"


def compare(options, query, file, events, folder):
    """Returns a line of the table, and what is different or None."""
    measured = {"millrace": [], "flink": []}
    found = None
    for _ in range(options.runs):
        ours, rows = peers.run_millrace(options, file, query, options.parallelism, folder)
        with tempfile.TemporaryDirectory(dir=folder) as name:
            theirs, count, their_rows = run_flink(options, events, query, pathlib.Path(name))
        measured["millrace"].append((ours["seconds"], ours["cpu_seconds_per_million_events"],
                                     ours["peak_resident_bytes"]))
        measured["flink"].append((theirs["seconds"], theirs["cpu_seconds"] / ours["events"] * 1e6,
                                  theirs["peak_resident_bytes"], theirs["checkpoints"]))
        if not options.cold:
            found = found or peers.difference(ours["rows"], rows, "Flink", count, their_rows)
    (mine, my_cpu, my_peak), (other, other_cpu, other_peak, commits) = (
        map(statistics.median, zip(*runs)) for runs in measured.values())
    verdict = "not compared" if options.cold else peers.verdict(found, ours["rows"])
    return (f"{query:5} {ours['rows']:9} {mine:9.2f} {other:9.2f} {other / mine:7.2f} "
            f"{my_cpu:9.2f} {other_cpu:6.2f} {my_peak / 2**20:9.0f} {other_peak / 2**20:6.0f} "
            f"{commits:8.0f}  {verdict}", found)


def main():
    parser = peers.parser(__doc__, QUERIES)
    parser.add_argument("--parallelism", type=int, default=2,
                        help="Flink's, and Millrace's --workers")
    parser.add_argument("--state", choices=("rocksdb", "hashmap"), default="rocksdb")
    parser.add_argument("--checkpoint-seconds", type=int, default=10)
    parser.add_argument("--mini-batch", action="store_true",
                        help="with nexmark-flink's settings of it")
    parser.add_argument("--cold", action="store_true",
                        help="measure the first job of a Java process; rows are not compared")
    options = parser.parse_args()
    for program in ("java", "mvn"):
        if not shutil.which(program):
            print(f"against_flink: NOT RUN: there is no {program}; tools/install_packages.sh flink "
                  "installs it", file=sys.stderr)
            return peers.EXIT_NOT_RUN
    build()
    with tempfile.TemporaryDirectory(prefix="millrace-flink-") as name:
        folder = pathlib.Path(name)
        file = peers.events_file(options, folder)
        events = deal_out(file, options.parallelism, folder / "events")
        print(f"Apache Flink {flink_version()}, parallelism {options.parallelism}, "
              f"{options.state}, a checkpoint every {options.checkpoint_seconds} s"
              f"{', mini-batch' * options.mini_batch}, "
              f"{'first' if options.cold else 'second'} job, median of {options.runs}")
        print(HEADER, flush=True)
        return peers.print_table(
            options.queries, lambda query: compare(options, query, file, events, folder))


if __name__ == "__main__":
    peers.main(main)

#!/usr/bin/env python3
"""Runs examples/dpkg and compares its answers with those of a short awk script over the same files.

Twice: over logs made here, rotated and compressed as logrotate does it, and over the logs of this
machine where it has any.
"""

import argparse
import glob
import gzip
import os
import subprocess
import sys
import tempfile

from running import Failure, Millrace, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.join(HERE, "..", "..", "examples", "dpkg", "dpkg.sql")
REAL_LOGS = "/var/log/dpkg.log*"

OLDEST = """\
2025-03-30 01:59:59 startup archives unpack
2025-03-30 03:00:00 install curl:amd64 <none> 7.88.1-10
2025-03-30 03:00:00 status half-installed curl:amd64 7.88.1-10
2025-03-30 03:59:59 install jq:amd64 <none> 1.6-2.1
2025-03-30 04:00:00 install libjq1:amd64 <none> 1.6-2.1
"""
MIDDLE = """\
2025-07-01 10:00:00 startup packages configure
2025-07-01 10:00:01 upgrade curl:amd64 7.88.1-10 7.88.1-11
2025-07-01 10:00:02 conffile /etc/curlrc keep
2025-07-01 10:00:03 trigproc man-db:amd64 2.11.2-2 <none>
2025-07-01 10:10:00 upgrade jq:amd64 1.6-2.1 1.6-2.2
"""
NEWEST = """\
2025-12-01 23:59:59 upgrade curl:amd64 7.88.1-11 7.88.1-12
2025-12-02 00:00:00 status installed curl:amd64 7.88.1-12
2025-12-02 00:00:01 remove jq:amd64 1.6-2.2 <none>
2025-12-02 00:00:02 install ripgrep:amd64 <none> 13.0.0-4
"""


def make_logs(directory):
    with gzip.open(os.path.join(directory, "dpkg.log.2.gz"), "wt") as log:
        log.write(OLDEST)
    for name, lines in (("dpkg.log.1", MIDDLE), ("dpkg.log", NEWEST)):
        with open(os.path.join(directory, name), "w", encoding="utf-8") as log:
            log.write(lines)


def make_project(directory, logs):
    with open(PROJECT, encoding="utf-8") as sql:
        text = sql.read()
    if REAL_LOGS not in text:
        raise Failure(f"{PROJECT} does not read {REAL_LOGS}")
    os.mkdir(directory)
    with open(os.path.join(directory, "dpkg.sql"), "w", encoding="utf-8") as sql:
        sql.write(text.replace(REAL_LOGS, logs))


def expected(logs):
    text = b""
    for path in sorted(glob.glob(logs)):
        with open(path, "rb") as log:
            content = log.read()
        text += gzip.decompress(content) if path.endswith(".gz") else content
    environment = {name: value for name, value in os.environ.items() if name != "TZ"}
    answer = subprocess.run(["awk", "-f", os.path.join(HERE, "dpkg_expected.awk")], input=text,
                            stdout=subprocess.PIPE, check=True, env=environment)
    return sorted(answer.stdout.decode().splitlines())


def answers(server):
    lines = []
    for view in ("installed_per_hour", "upgrades", "first_and_last_action"):
        for row in server.rows(view):
            if view != "first_and_last_action" or row["actions"] > 0:
                lines.append("\t".join([view] + [str(value) for value in row.values()]))
    return sorted(lines)


def check(binary, logs, work):
    project = os.path.join(work, "project")
    make_project(project, logs)
    server = Millrace(binary, project, work)
    server.start()
    try:
        # The machine may be installing just now: what the log says is asked again each time.
        try:
            wait_until(lambda: answers(server) == expected(logs), "the right answers")
        except Failure as failure:
            raise Failure(f"{failure}\nexpected {expected(logs)}\ngot {answers(server)}\n"
                          f"{server.log()}") from failure
        refused = server.get("/api/v1/streams/errors$dpkg/records?limit=10")["records"]
        if refused:
            raise Failure(f"lines that do not match: {refused}")
    finally:
        server.stop()
    return len(expected(logs))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="millrace-dpkg-") as work:
        logs = os.path.join(work, "made", "logs")
        os.makedirs(logs)
        make_logs(logs)
        rows = check(arguments.binary, os.path.join(logs, "dpkg.log*"), os.path.join(work, "made"))
        if rows != 6:
            raise Failure(f"{rows} rows of the logs made here instead of 6")
        print(f"logs made here: {rows} rows as expected")
        if glob.glob(REAL_LOGS):
            os.mkdir(os.path.join(work, "real"))
            rows = check(arguments.binary, REAL_LOGS, os.path.join(work, "real"))
            print(f"{REAL_LOGS}: {rows} rows as expected")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")

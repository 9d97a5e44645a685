#!/usr/bin/env python3
"""Kills a running Millrace with SIGKILL, again and again, under load, and checks what it kept.

Every record is a pure function of (seed, producer, seq), so that the input is regenerated and
never stored. After each restart:
  - every acknowledged record is in the stream exactly once, and no record is there twice;
  - each producer's records are in the order in which it sent them, without holes;
  - the views equal what a plain program computes from the stream.
A request without an answer is sent again, with the same Idempotency-Key.
"""

import argparse
import collections
import datetime
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

# Producers stay this close together, so that no record is later than the watermark delay allows.
LEAD_MAX = 5_000
BASE_TIME = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
START_TIMEOUT_S = 60
PAGE = 10_000


def record(seed, producer, seq):
    rng = random.Random(seed * 1_000_003 + producer * 7_919 + seq)
    at = BASE_TIME + datetime.timedelta(seconds=seq * 0.5 + rng.random() * 30)
    return {
        "producer": producer,
        "seq": seq,
        "key": f"key-{rng.randrange(40)}-{'x' * rng.randrange(20)}"[: rng.choice([6, 12, 30])],
        "value": rng.randrange(-1000, 1000),
        "at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Failure(Exception):
    """What the checker found wrong."""


class Server:
    """The process under test; started again after each kill, on the same port and data."""

    def __init__(self, binary, project, data):
        self.port = free_port()
        self.command = [binary, "run", project, "--data-dir", data,
                        "--listen", f"127.0.0.1:{self.port}"]
        self.log = open(os.path.join(os.path.dirname(data), "server.log"), "ab")
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            if self.process.poll() is not None:
                raise Failure(f"the server ended with {self.process.returncode} at start")
            try:
                self.get("/readyz")
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise Failure("the server did not come up")
                time.sleep(0.01)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(timeout=30) != 0:
            raise Failure(f"SIGTERM ended it with {self.process.returncode}")

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise Failure(f"GET {path}: {response.status} {body[:300]}")
        return json.loads(body) if body[:1] in b"{[" else body


class Producer(threading.Thread):
    """Sends its records in order, the next request only after the answer to the last."""

    def __init__(self, server, seed, number, batch):
        super().__init__(daemon=True)
        self.server, self.seed, self.number, self.batch = server, seed, number, batch
        self.rng = random.Random(seed + number)
        self.acked = 0          # Records [0, acked) are acknowledged.
        self.pending = None     # (first seq, count) of a request without an answer.
        self.running = True
        self.failure = None
        self.others = []

    def run(self):
        connection = None
        while self.running:
            if self.acked > min(other.acked for other in self.others) + LEAD_MAX:
                time.sleep(0.001)
                continue
            if self.pending is None:
                self.pending = (self.acked, self.rng.randrange(1, self.batch))
            first, count = self.pending
            body = "\n".join(json.dumps(record(self.seed, self.number, seq))
                             for seq in range(first, first + count))
            try:
                if connection is None:
                    connection = http.client.HTTPConnection("127.0.0.1", self.server.port,
                                                            timeout=30)
                connection.request("POST", "/api/v1/streams/events/records", body, {
                    "Content-Type": "application/x-ndjson",
                    "Idempotency-Key": f"{self.seed}-{self.number}-{first}-{count}"})
                response = connection.getresponse()
                answer = response.read()
                if response.status != 200:
                    self.failure = f"POST: {response.status} {answer[:300]}"
                    return
                if json.loads(answer)["accepted"] != count:
                    self.failure = f"POST: {answer[:300]}"
                    return
                self.acked = first + count
                self.pending = None
            except (OSError, http.client.HTTPException):
                connection = None
                time.sleep(0.005)


def read_stream(server):
    rows, position = [], ""
    while True:
        page = server.get(f"/api/v1/streams/events/records?limit={PAGE}"
                          + (f"&from={position}" if position else ""))
        rows.extend(r["row"] for r in page["records"])
        position = page["next"]
        if len(page["records"]) < PAGE:
            return rows, position


def read_view(server, view, wait_for):
    rows, cursor = [], ""
    while True:
        page = server.get(f"/api/v1/views/{view}?limit={PAGE}&wait_for={wait_for}"
                          + (f"&cursor={cursor}" if cursor else ""))
        rows.extend(page["rows"])
        cursor = page["next_cursor"]
        if not cursor:
            return rows


def window_of(at):
    return at[:17] + "00Z"


def check_stream(rows, acked, seed):
    by_producer = collections.defaultdict(list)
    for row in rows:
        by_producer[row["producer"]].append(row["seq"])
    for producer, acked_count in enumerate(acked):
        seqs = by_producer[producer]
        if seqs != list(range(len(seqs))):
            bad = next(i for i, seq in enumerate(seqs) if i != seq)
            kind = "doubled or reordered" if seqs[bad] < bad else "lost"
            raise Failure(f"producer {producer}: record {bad} {kind}, found {seqs[bad]}")
        if len(seqs) < acked_count:
            raise Failure(f"producer {producer}: {acked_count} acknowledged, "
                          f"{len(seqs)} in the stream")
    for row in random.Random(seed).sample(rows, min(200, len(rows))):
        expected = record(seed, row["producer"], row["seq"])
        for field in ("key", "value"):
            if row[field] != expected[field]:
                raise Failure(f"record {row} should be {expected}")


def compare(view, got, expected):
    if got != expected:
        wrong = sorted(k for k in set(got) | set(expected) if got.get(k) != expected.get(k))[:3]
        shown = [(k, got.get(k), expected.get(k)) for k in wrong]
        raise Failure(f"view {view}: (group, found, expected) {shown}")


def check_views(server, rows, position):
    wait_for = ",".join(f"{p}:{offset}" for p, offset in enumerate(position.split(".")))
    per_key, per_minute = {}, {}
    for row in rows:
        n, total, low, high = per_key.get(row["key"], (0, 0, 10**9, -10**9))
        value = row["value"]
        per_key[row["key"]] = (n + 1, total + value, min(low, value), max(high, value))
        group = (window_of(row["at"]), row["key"])
        n, total = per_minute.get(group, (0, 0))
        per_minute[group] = (n + 1, total + value)

    def distinct(view):
        found = read_view(server, view, wait_for)
        keys = [(r.get("window_start"), r["key"]) for r in found]
        if len(set(keys)) != len(keys):
            raise Failure(f"view {view}: a group has two rows")
        return found

    compare("per_key", {r["key"]: (r["n"], int(r["total"]), r["low"], r["high"])
                        for r in distinct("per_key")}, per_key)
    minutes = {(r["window_start"], r["key"]): (r["n"], int(r["total"]))
               for r in distinct("per_minute")}
    compare("per_minute", minutes, per_minute)
    final = {(r["window_start"], r["key"]): (r["n"], int(r["total"]))
             for r in distinct("per_minute_final")}
    compare("per_minute_final", final, {k: per_minute.get(k) for k in final})
    closed = max((k[0] for k in final), default="")
    missing = [k for k in per_minute if k[0] < closed and k not in final]
    if missing:
        raise Failure(f"view per_minute_final: out up to {closed}, but not {missing[:3]}")
    return len(final)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--producers", type=int, default=4)
    parser.add_argument("--batch", type=int, default=400)
    parser.add_argument("--check-every", type=int, default=5)
    parser.add_argument("--keep", action="store_true", help="keep the data directory")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    root = tempfile.mkdtemp(prefix="millrace-crash-")
    project = os.path.join(root, "project")
    os.mkdir(project)
    shutil.copy(os.path.join(os.path.dirname(os.path.abspath(__file__)), "project.sql"), project)
    server = Server(options.binary, project, os.path.join(root, "data"))
    print(f"crash: seed {options.seed}, {options.kills} kills, in {root}", flush=True)
    producers = []
    try:
        server.start()
        producers = [Producer(server, options.seed, n, options.batch)
                     for n in range(options.producers)]
        for producer in producers:
            producer.others = producers
            producer.start()
        for kill in range(1, options.kills + 1):
            time.sleep(rng.choice([rng.random() * 1.0, 10 ** -rng.uniform(0.5, 3)]))
            server.kill()
            server.start()
            if kill % options.check_every == 0:
                acked = [producer.acked for producer in producers]
                rows, position = read_stream(server)
                check_stream(rows, acked, options.seed)
                print(f"crash: {kill} kills, {len(rows)} records", flush=True)
        for producer in producers:
            producer.running = False
        for producer in producers:
            producer.join()
            if producer.failure:
                raise Failure(producer.failure)
        server.kill()
        server.start()
        rows, position = read_stream(server)
        check_stream(rows, [producer.acked for producer in producers], options.seed)
        closed = check_views(server, rows, position)
        server.stop()
        print(f"crash: {len(rows)} records, {sum(p.acked for p in producers)} acknowledged, "
              f"{closed} final groups: none lost, doubled or reordered; views exact")
    except Failure as failure:
        options.keep = True
        print(f"crash: FAILED: {failure}\n"
              f"crash: again with: {sys.argv[0]} --binary {options.binary} "
              f"--kills {options.kills} --seed {options.seed}; data in {root}")
        return 1
    finally:
        for producer in producers:
            producer.running = False
        if server.process and server.process.poll() is None:
            server.kill()
        if not options.keep:
            shutil.rmtree(root, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

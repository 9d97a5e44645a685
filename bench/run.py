#!/usr/bin/env python3
"""Measures a release build and prints the table of docs/benchmarks.md.

  bench/run.py [scenario]...     http file latency stream keys start restart size; default: all

Everything runs on this machine over loopback; figures hold for it alone. Each figure is the median
of --runs runs. Nothing here passes or fails.
"""

import argparse
import atexit
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "release"
LOAD = BUILD / "millrace_http_load"
TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A running millrace over a data directory of its own. `close` ends the one and removes the
    other; what is left open is closed when the program ends."""

    binary = BUILD / "millrace"

    def __init__(self, project):
        self.project = str(project)
        self.root = tempfile.mkdtemp(prefix="millrace-bench-", dir=ROOT / "build")
        self.data = os.path.join(self.root, "data")
        self.port = free_port()
        self.process = None
        atexit.register(self.close)

    def start(self):
        """Returns the seconds until it was ready."""
        begin = time.monotonic()
        self.process = subprocess.Popen(
            [str(self.binary), "run", self.project, "--data-dir", self.data,
             "--listen", f"127.0.0.1:{self.port}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            if self.process.poll() is not None:
                sys.exit(f"millrace ended with {self.process.returncode}")
            try:
                if self.get("/readyz", raw=True) == 200:
                    return time.monotonic() - begin
            except OSError:
                pass
            time.sleep(0.002)

    def get(self, path, raw=False):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
            return response.status if raw else json.loads(body)
        finally:
            connection.close()

    def cpu_seconds(self):
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = stat.rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mib(self, key):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1]) / 1024
        return 0.0

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=120)

    def close(self):
        atexit.unregister(self.close)
        if self.process is not None and self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.root, ignore_errors=True)


def disk_bytes(path):
    return sum(f.stat().st_blocks * 512 for f in pathlib.Path(path).rglob("*") if f.is_file())


def load(server, *options):
    out = subprocess.run([str(LOAD), "--port", str(server.port), *map(str, options)],
                         check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def measure_http(options):
    runs = []
    for _ in range(options.runs):
        server = Server(ROOT / "bench" / "project")
        server.start()
        before = server.cpu_seconds()
        result = load(server, "--seconds", options.seconds)
        result["cpu"] = (server.cpu_seconds() - before) / (result["events"] / 1e6)
        result["peak"] = server.memory_mib("VmHWM")
        result["disk"] = disk_bytes(server.data) / result["events"]
        runs.append(result)
        server.close()
    rate = [run["events_per_second"] / 1e6 for run in runs]
    return [
        ("durable ingest over HTTP to a tumbling count",
         f"{statistics.median(rate):.2f} M events/s ({min(rate):.2f} .. {max(rate):.2f})",
         ">= 1 M events/s"),
        ("its server CPU", f"{median(runs, 'cpu'):.2f} s per million events", "<= 0.8, goal 0.5"),
        ("its peak memory", f"{median(runs, 'peak'):.0f} MiB", "<= 256 MiB"),
        ("its disk", f"{median(runs, 'disk'):.0f} bytes per event of 230", ""),
    ]


def write_records(path, events):
    """The records of millrace_http_load, a second of event time for each 20,000."""
    block = "".join(
        json.dumps({"id": i, "user_id": f"user-{i * 7919 % 1000003:07}",
                    "session": f"{i * 0x9E3779B97F4A7C15 % 2**64:016x}",
                    "url": f"/shop/item/{i * 31 % 1000:06}?ref=home",
                    "referrer": "https://www.example.com/search?q=millrace", "price": i % 997 / 4,
                    "sent": 1000000000000000 + i, "at": "@"}, separators=(",", ":")) + "\n"
        for i in range(20_000))
    start = time.mktime((2026, 1, 1, 0, 0, 0, 0, 0, 0))
    with open(path, "w", encoding="utf-8") as out:
        for number in range(events // 20_000):
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.localtime(start + number))
            out.write(block.replace("@", at))


def measure_file(options):
    """The view of `http` over a bounded file, from the start of the process to the last row."""
    events = 2_000_000
    project = pathlib.Path(tempfile.mkdtemp(prefix="millrace-bench-", dir=ROOT / "build"))
    write_records(project / "input.ndjson", events)
    sql = (ROOT / "bench" / "project" / "bench.sql").read_text()
    (project / "bench.sql").write_text(sql.replace("connector = 'http'",
                                                   "connector = 'file', path = 'input.ndjson'"))
    runs = []
    for _ in range(options.runs):
        server = Server(project)
        begin = time.monotonic()
        server.start()
        wait_until_read(server, events)
        runs.append({"rate": events / 1e6 / (time.monotonic() - begin),
                     "cpu": server.cpu_seconds() / (events / 1e6),
                     "peak": server.memory_mib("VmHWM")})
        server.close()
    shutil.rmtree(project)
    rate = [run["rate"] for run in runs]
    return [
        ("a file of such records to a tumbling count",
         f"{statistics.median(rate):.2f} M events/s ({min(rate):.2f} .. {max(rate):.2f})",
         "not slower than HTTP"),
        ("its CPU", f"{median(runs, 'cpu'):.2f} s per million events", ""),
        ("its peak memory", f"{median(runs, 'peak'):.0f} MiB", "<= 256 MiB"),
    ]


def sync_times(directory, count=400):
    """Milliseconds of write + fdatasync of 4 KiB, sorted."""
    times = []
    with tempfile.NamedTemporaryFile(dir=directory) as file:
        for _ in range(count):
            begin = time.perf_counter()
            os.write(file.fileno(), b"x" * 4096)
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - begin) * 1e3)
    return sorted(times)


def measure_latency(options):
    runs = []
    for _ in range(options.runs):
        server = Server(ROOT / "bench" / "latency_project")
        server.start()
        load(server, "--rate", 20_000, "--connections", 32, "--seconds", 2)
        result = load(server, "--rate", 20_000, "--connections", 32, "--seconds", options.seconds)
        sync = sync_times(server.root)
        result["sync50"], result["sync99"] = sync[len(sync) // 2], sync[len(sync) * 99 // 100]
        runs.append(result)
        server.close()
    return [
        ("post to change seen, 20 k events/s in requests of 20, p50",
         f"{median(runs, 'p50_us') / 1e3:.1f} ms", "<= 5 ms"),
        ("p99", f"{median(runs, 'p99_us') / 1e3:.1f} ms", "<= 30 ms"),
        ("the disk's fdatasync of 4 KiB, p50 / p99",
         f"{median(runs, 'sync50'):.2f} / {median(runs, 'sync99'):.2f} ms", ""),
    ]


def measure_stream(options):
    """The embedded transport alone: epochs of 16,000 bids, and reading them again."""
    out = subprocess.run([str(BUILD / "benchmarks" / "stream"), "--benchmark_format=json",
                          "--benchmark_filter=^Append/batches:16/direct_kib:256/|^Read/"],
                         check=True, capture_output=True, text=True).stdout
    append, read = json.loads(out)["benchmarks"]
    return [(what, f"{bench['events/s'] / 1e6:.1f} M rows/s, "
             f"{bench['cpu_s/M']:.2f} s of CPU per million", "")
            for what, bench in (("stream alone: durable append", append),
                                ("stream alone: read from disk", read))]


def empty_project():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="millrace-bench-", dir=ROOT / "build"))
    (directory / "empty.sql").write_text(
        "CREATE TABLE t (a text) WITH (connector = 'http', format = 'json');\n")
    return directory


def measure_start(options):
    project = empty_project()
    times, memory = [], []
    for _ in range(max(options.runs, 3)):
        server = Server(project)
        times.append(server.start())
        memory.append(server.memory_mib("VmRSS"))
        server.close()
    shutil.rmtree(project)
    return [("start of an empty project", f"{statistics.median(times) * 1e3:.0f} ms", "<= 300 ms"),
            ("idle memory", f"{statistics.median(memory):.0f} MiB", "<= 40 MiB")]


def wait_until_read(server, events):
    while True:
        view = server.get("/api/v1/views")["views"][0]
        if view["rows"]["in"] == events:
            return view
        time.sleep(0.05)


def measure_restart(options):
    """Fills the state of a view until it holds --state-mib, and starts again over it."""
    server = Server(ROOT / "bench" / "restart_project")
    server.start()
    events = 0
    while True:
        events += load(server, "--seconds", 5, "--distinct", "--first-url", events)["events"]
        view = wait_until_read(server, events)
        if view["state_bytes"] >= options.state_mib * 2**20:
            break
    keys, state = view["state_keys"], view["state_bytes"]
    server.stop()
    data = disk_bytes(server.data) / 2**20
    clean = server.start()
    server.process.kill()
    server.process.wait()
    crashed = server.start()
    memory = server.memory_mib("VmRSS") * 2**20
    after = server.get("/api/v1/views")["views"][0]["state_keys"]
    server.close()
    note = "" if after == keys else f", AND {after - keys} KEYS DIFFER"
    return [
        (f"restart with {state / 2**20:.0f} MiB of state, {keys / 1e6:.1f} M keys, "
         f"{data:.0f} MiB on disk", f"{clean:.1f} s{note}", "<= 10 s"),
        ("the same after kill -9", f"{crashed:.1f} s", "<= 10 s"),
        ("state per key of 69 bytes", f"{state / keys:.0f} bytes", "<= 170 bytes"),
        ("memory per key, served rows included", f"{memory / keys:.0f} bytes", ""),
    ]


KEYS_SQL = """CREATE TABLE events (k bigint NOT NULL, v bigint NOT NULL) WITH (
  connector = 'datagen', rows = {rows}, k.kind = 'uniform', k.max = {keys},
  v.kind = 'uniform', v.max = 1000, retention_bytes = '1 GiB');
CREATE MATERIALIZED VIEW per_key WITH (emit = 'changes') AS
SELECT k, count(*) AS n, sum(v) AS total FROM events GROUP BY k;
"""


def measure_keys(options):
    """A count and a sum by a uniform key: the second half of the rows, when most keys are there."""
    table = []
    for keys in (1_000_000, 20_000_000):
        rows = max(40_000_000, 4 * keys)
        project = pathlib.Path(tempfile.mkdtemp(prefix="millrace-bench-", dir=ROOT / "build"))
        (project / "keys.sql").write_text(KEYS_SQL.format(rows=rows, keys=keys))
        server = Server(project)
        server.start()

        def wait_for(count):
            while (seen := server.get("/api/v1/views")["views"][0]["rows"]["in"]) < count:
                time.sleep(0.05)
            return seen, time.monotonic(), server.cpu_seconds()

        start = wait_for(rows // 2)
        end = wait_for(rows)
        memory = server.memory_mib("VmRSS") * 2**20
        view = server.get("/api/v1/views")["views"][0]
        server.close()
        shutil.rmtree(project)
        million = (end[0] - start[0]) / 1e6
        table += [
            (f"rows to a count and a sum over {keys / 1e6:.0f} M keys",
             f"{million / (end[1] - start[1]):.2f} M rows/s",
             "" if keys == 1_000_000 else ">= half of that over 1 M"),
            ("its CPU", f"{(end[2] - start[2]) / million:.2f} s per million rows", ""),
            ("state and memory per key", f"{view['state_bytes'] / view['state_keys']:.0f} and "
             f"{memory / view['state_keys']:.0f} bytes", ""),
        ]
    return table


def measure_size(options):
    stripped = tempfile.NamedTemporaryFile()
    subprocess.run(["strip", "-o", stripped.name, str(BUILD / "millrace")], check=True)
    return [("stripped binary", f"{os.path.getsize(stripped.name) / 2**20:.1f} MiB", "<= 30 MB")]


SCENARIOS = {"http": measure_http, "file": measure_file, "latency": measure_latency,
             "stream": measure_stream, "keys": measure_keys, "start": measure_start,
             "restart": measure_restart, "size": measure_size}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenarios", nargs="*", metavar="scenario", help=" ".join(SCENARIOS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--state-mib", type=int, default=1024)
    parser.add_argument("--binary", default=Server.binary, help="the millrace to measure")
    options = parser.parse_args()
    Server.binary = options.binary
    unknown = set(options.scenarios) - set(SCENARIOS)
    if unknown:
        parser.error(f"no scenario {', '.join(sorted(unknown))}")
    print("| what | measured | target |\n|---|---|---|", flush=True)
    for name in options.scenarios or SCENARIOS:
        for row in SCENARIOS[name](options):
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()

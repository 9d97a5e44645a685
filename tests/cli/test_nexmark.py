"""`millrace bench nexmark`."""

import json
import os
import signal
import subprocess
import unittest

from running import BINARY, ProjectTest, clean_environment, run

EVENTS = 200_000
# Rows and digest of the first 200,000 events. bench/nexmark/against_duckdb.py compares the same
# rows with DuckDB's.
ANSWERS = {
    "q0": (184000, "caf4d63f570f1211"),
    "q1": (184000, "9fe775fcdcd65c91"),
    "q2": (1546, "06953d67d8bd1dcd"),
    "q3": (1249, "99e91645fadc2514"),
    "q5": (14, "4b2bd7934005df9e"),
    "q7": (2, "1e08ef4d4748bfa4"),
    "q8": (1815, "7e7419e07e7c64d5"),
}


class NexmarkTest(ProjectTest):
    def bench(self, *arguments):
        done = run("bench", "nexmark", "--dir", self.root, "--format", "json", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([path for path in self.root.iterdir() if path.name.startswith("mill")], [])
        return {report["query"]: report for report in map(json.loads, done.stdout.splitlines())}

    def answers(self, *arguments):
        return {query: (report["rows"], report["digest"])
                for query, report in self.bench(*arguments).items()}

    def test_gives_the_known_rows_with_any_number_of_workers(self):
        for workers in (1, 4):
            self.assertEqual(self.answers("--query", "all", "--events", EVENTS, "--workers",
                                          workers), ANSWERS)

    def test_reads_a_file_and_writes_the_rows(self):
        file = os.path.relpath(self.root / "events.ndjson")
        made = run("bench", "nexmark", "--generate", file, "--events", EVENTS)
        self.assertEqual(made.returncode, 0, made.stderr)
        rows = self.root / "rows"
        reports = self.bench("--query", "q1,q3,q5", "--input", file, "--output", rows)
        for query, report in reports.items():
            self.assertEqual((report["rows"], report["digest"]), ANSWERS[query])
            self.assertEqual(report["events"], EVENTS)
            lines = (rows / f"{query}.ndjson").read_text().splitlines()
            self.assertEqual(len(lines), report["rows"])
        self.assertRegex(lines[0], r'^{"window_start":"2015-07-1\d \d\d:\d\d:\d\d\.\d{3}",'
                                   r'"window_end":"[^"]+","auction":\d+,"num":\d+}$')
        first = (rows / "q1.ndjson").read_text().splitlines()[0]
        self.assertRegex(first, r'^{"auction":\d+,"bidder":\d+,"price":\d+\.\d{3},"date_time":')

    def test_says_what_the_run_cost(self):
        report = self.bench("--query", "q3", "--events", 50_000)["q3"]
        for name in ("seconds", "events_per_second", "cpu_seconds_per_million_events",
                     "peak_resident_bytes", "state_bytes", "commit_p50_ms", "commit_p99_ms"):
            self.assertGreater(report[name], 0, name)
        table = run("bench", "nexmark", "--dir", self.root, "--query", "q2", "--events", 10_000)
        self.assertRegex(table.stdout, r"(?m)^q2 +10000 +\d+ +[\d.]+ ")

    def test_says_what_is_wrong(self):
        for arguments, message in (((), "give --query or --generate"),
                                   (("--query", "q99"), "there are q0, q1"),
                                   (("--query", "q0", "--input", "/no/such/file"), "MR6006")):
            done = run("bench", "nexmark", *arguments)
            self.assertEqual(done.returncode, 1)
            self.assertIn(message, done.stderr)

    def test_leaves_nothing_behind_when_interrupted(self):
        process = subprocess.Popen(
            [BINARY, "bench", "nexmark", "--query", "q0", "--events", "1000000000000", "--dir",
             self.root], stderr=subprocess.PIPE, env=clean_environment())
        while not list(self.root.glob("*/data")):
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=60), 128 + signal.SIGINT)
        process.stderr.close()
        self.assertEqual(list(self.root.iterdir()), [])


if __name__ == "__main__":
    unittest.main()

"""A running server and the commands that talk to it."""

import json
import signal
import socket
import subprocess
import unittest

from running import BINARY, CLICKS, TIMEOUT_S, ProjectTest, Server, clean_environment, run

FREE_PORT = ("--listen", "127.0.0.1:0")
CLICK = {"url": "/a", "price": 1.25, "at": "2026-01-01T00:00:01Z"}


class FirstStepsTest(ProjectTest):
    def test_init_check_run_post_and_tail(self):
        project = self.root / "shop"
        made = run("init", project)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(run("check", project).returncode, 0)
        again = run("init", project)
        self.assertEqual(again.returncode, 1)
        self.assertIn("MR6009", again.stderr)
        with Server(project, *FREE_PORT) as server:
            status, answer = server.post(
                "events", {"name": "first", "value": 2, "at": "2026-01-01T00:00:00Z"},
                {"name": "first", "value": 4, "at": "2026-01-01T00:00:01Z"})
            self.assertEqual((status, answer["accepted"]), (200, 2))
            server.request(f"/api/v1/views/events_per_minute?wait_for={answer['position']}")
            tail = run("tail", "events_per_minute", "--snapshot", "--limit", "1",
                       "--url", server.url)
            self.assertEqual(tail.returncode, 0, tail.stderr)
            row = json.loads(tail.stdout)
            self.assertEqual((row["weight"], row["row"]["n"], row["row"]["mean"]), (1, 2, 3))
            records = run("tail", "events", "--from", "0.0.0.0", "--limit", "2",
                          "--url", server.url)
            self.assertEqual([json.loads(line)["row"]["value"]
                              for line in records.stdout.splitlines()], [2, 4])
            self.assertEqual(server.stop(), 0)

    def test_tail_follows_what_comes(self):
        with Server(self.project(), *FREE_PORT) as server:
            tail = subprocess.Popen(
                [BINARY, "tail", "clicks",
                 "--from", "0.0.0.0", "--limit", "3", "--url", server.url],
                stdout=subprocess.PIPE, text=True, env=clean_environment())
            for n in range(3):
                server.post("clicks", CLICK | {"price": n})
                self.assertEqual(json.loads(tail.stdout.readline())["row"]["price"], n)
            self.assertEqual(tail.wait(TIMEOUT_S), 0)
            tail.stdout.close()

    def start_tail(self, server, *arguments):
        tail = subprocess.Popen([BINARY, "tail", *arguments, "--url", server.url],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=clean_environment())
        self.addCleanup(tail.stdout.close)
        self.addCleanup(tail.stderr.close)
        self.addCleanup(tail.wait, TIMEOUT_S)
        self.addCleanup(tail.kill)
        return tail

    def test_tail_goes_on_where_it_was_when_the_server_comes_back(self):
        project = self.project()
        with Server(project, *FREE_PORT) as server:
            tail = self.start_tail(server, "clicks", "--from", "0.0.0.0", "--limit", "3")
            server.post("clicks", CLICK | {"price": 0})
            self.assertEqual(json.loads(tail.stdout.readline())["row"]["price"], 0)
            self.assertEqual(server.stop(signal.SIGKILL), -signal.SIGKILL)
        self.assertIn("trying to reach it again for 60 s", tail.stderr.readline())
        with Server(project, "--listen", server.url.removeprefix("http://")) as server:
            for n in (1, 2):
                server.post("clicks", CLICK | {"price": n})
            rest, said = tail.communicate(timeout=TIMEOUT_S)
        self.assertEqual([json.loads(line)["row"]["price"] for line in rest.splitlines()], [1, 2])
        self.assertRegex(said, r"connected again, from position [\d.]+\n")
        self.assertEqual(tail.returncode, 0)

    def test_tail_of_a_view_goes_on_with_the_one_that_was_built_anew(self):
        project = self.project()
        with Server(project, *FREE_PORT) as server:
            tail = self.start_tail(server, "clicks_per_minute", "--snapshot", "--limit", "2")
            server.post("clicks", CLICK)
            self.assertEqual(json.loads(tail.stdout.readline())["row"]["n"], 1)
            self.assertEqual(server.stop(), 0)
        sql = project / "clicks.sql"
        sql.write_text(sql.read_text().replace("count(*)", "count(*) + 10"))
        self.assertIn("view clicks_per_minute: rebuilt: its query has changed; it serves as it was",
                      run("check", project).stdout)
        with Server(project, "--listen", server.url.removeprefix("http://")) as server:
            rest, said = tail.communicate(timeout=TIMEOUT_S)
            self.assertEqual(json.loads(rest)["row"]["n"], 11)
            self.assertIn("the view was built anew", said)
            listed = run("views", "--url", server.url).stdout
            self.assertNotIn("rebuild", listed)
            self.assertNotIn("$", run("streams", "--url", server.url).stdout.replace(
                "errors$", "").replace("late$", ""))

    def test_tail_gives_up_and_says_where_it_was(self):
        with Server(self.project(), *FREE_PORT) as server:
            tail = self.start_tail(server, "clicks", "--from", "0.0.0.0", "--retry-for", "0")
            server.post("clicks", CLICK)
            tail.stdout.readline()
            self.assertEqual(server.stop(), 0)
        rest, said = tail.communicate(timeout=TIMEOUT_S)
        self.assertEqual((rest, tail.returncode), ("", 1))
        self.assertIn("MR5012", said)
        self.assertRegex(said, r"go on with --from \d+\.\d+\.\d+\.\d+")


class ListingTest(ProjectTest):
    def test_lists_and_describes(self):
        with Server(self.project(), *FREE_PORT) as server:
            _, answer = server.request("/api/v1/streams/clicks/records",
                                       json.dumps(CLICK).encode() + b"\nnot json\n")
            server.request(f"/api/v1/views/clicks_per_minute?wait_for={answer['position']}")
            at = ("--url", server.url)
            streams = run("streams", *at)
            self.assertEqual(streams.returncode, 0, streams.stderr)
            self.assertRegex(streams.stdout, r"(?m)^NAME +KIND +PARTITIONS +OFFSETS")
            self.assertRegex(streams.stdout, r"(?m)^clicks +table +4 +2 ")
            self.assertNotIn("catalog", streams.stdout)
            self.assertIn("error rows: 1\n", run("streams", "clicks", *at).stdout)
            views = json.loads(run("views", "--format", "json", *at).stdout)
            self.assertEqual(len(views), 1)
            self.assertEqual(views[0]["rows"] | {"out": 0}, {
                "in": 1, "accepted": 1, "filtered": 0, "late": 0, "failed": 0, "out": 0})
            self.assertEqual(views[0]["lag"], 0)
            self.assertGreater(views[0]["state_bytes"], 0)
            described = run("views", "clicks_per_minute", *at).stdout
            self.assertIn("  n bigint", described)
            self.assertIn("CREATE MATERIALIZED VIEW clicks_per_minute", described)
            missing = run("views", "clicks_per_hour", *at)
            self.assertEqual(missing.returncode, 1)
            self.assertIn("MR2004", missing.stderr)

    def test_says_that_no_server_answers(self):
        with Server(self.project(), *FREE_PORT) as server:
            url = server.url
            self.assertEqual(server.stop(), 0)
        for command in (("streams",), ("views",), ("tail", "x")):
            result = run(*command, "--url", url)
            self.assertEqual(result.returncode, 1)
            self.assertIn("MR5012", result.stderr)
            self.assertIn("--url", result.stderr)


class AuthTest(ProjectTest):
    def token(self, name, scopes):
        made = run("token", name, "--scopes", scopes)
        self.assertEqual(made.returncode, 0)
        return made.stdout.strip(), made.stderr.splitlines()[-1].strip().removeprefix("- ")

    def test_tokens_and_scopes(self):
        writer, writer_line = self.token("collector", "write")
        reader, reader_line = self.token("dashboard", "read")
        project = self.project(configuration=(
            f"auth:\n  tokens:\n    - {writer_line}\n    - {reader_line}\n"))
        with Server(project, *FREE_PORT) as server:
            for token, status, code in ((None, 401, "MR7004"), ("mr_wrong", 401, "MR7004"),
                                        (reader, 403, "MR7005")):
                got, answer = server.post("clicks", CLICK, token=token)
                self.assertEqual((got, answer["code"]), (status, code))
            self.assertEqual(server.post("clicks", CLICK, token=writer)[0], 200)
            self.assertEqual(server.request("/api/v1/views", token=writer)[0], 403)
            self.assertEqual(server.request("/api/v1/metrics")[0], 401)
            self.assertEqual(server.request("/livez")[0], 200)
            refused = run("views", "--url", server.url)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("MILLRACE_TOKEN", refused.stderr)
            allowed = run("views", "--url", server.url,
                          environment=clean_environment(MILLRACE_TOKEN=reader))
            self.assertEqual(allowed.returncode, 0, allowed.stderr)
            server.stop()
            said = json.dumps(server.log)
            for secret in (writer, reader, writer_line.split()[-1]):
                self.assertNotIn(secret, said)


class SignalTest(ProjectTest):
    def test_a_signal_ends_cleanly_and_nothing_is_lost(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            project = self.project(how.name)
            with Server(project, *FREE_PORT) as server:
                self.assertEqual(server.post("clicks", CLICK)[0], 200)
                self.assertEqual(server.stop(how), 0)
                messages = [entry["message"] for entry in server.log]
                self.assertEqual(messages[-2:], ["stopping", "stopped"])
            with Server(project, *FREE_PORT) as server:
                _, view = server.request("/api/v1/views/clicks_per_minute")
                self.assertEqual([row["n"] for row in view["rows"]], [1])

    def test_a_second_signal_ends_at_once(self):
        with Server(self.project(), *FREE_PORT) as server:
            host, port = server.url.removeprefix("http://").split(":")
            with socket.create_connection((host, int(port))) as client:
                # Half a request: the server gives it time to finish when it stops.
                client.sendall(b"POST /api/v1/streams/clicks/records HTTP/1.1\r\n"
                               b"Host: localhost\r\nContent-Type: application/x-ndjson\r\n"
                               b"Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n")
                self.assertIn(b"100", client.recv(100))
                server.process.send_signal(signal.SIGTERM)
                server.wait_for("stopping")
                server.process.send_signal(signal.SIGTERM)
                self.assertEqual(server.process.wait(TIMEOUT_S), -signal.SIGTERM)


class LogTest(ProjectTest):
    def test_lines_are_json_with_ecs_names(self):
        with Server(self.project(), *FREE_PORT) as server:
            self.assertEqual(server.stop(), 0)
            for entry in server.log:
                for name in ("@timestamp", "log.level", "message", "log.logger", "ecs.version"):
                    self.assertIn(name, entry)
            messages = [entry["message"] for entry in server.log]
            self.assertEqual(messages, ["starting", "data directory is recovered", "view started",
                                        "listening", "stopping", "stopped"])

    def test_level_and_format_are_configured(self):
        project = self.project(configuration="logging: {level: warning}\n"
                                             "processing: {application_id: shop}\n"
                                             "http: {listen: '127.0.0.1:0'}\n")
        with subprocess.Popen(
                [BINARY, "run", project],
                stderr=subprocess.PIPE, text=True, env=clean_environment()) as server:
            warning = json.loads(server.stderr.readline())
            server.send_signal(signal.SIGTERM)
            rest = server.stderr.read()
            self.assertEqual(server.wait(TIMEOUT_S), 0)
        self.assertEqual((warning["log.level"], warning["option"]),
                         ("warn", "processing.application_id"))
        self.assertEqual(rest, "")

    def test_a_second_process_is_refused(self):
        project = self.project()
        with Server(project, *FREE_PORT):
            second = run("run", project, *FREE_PORT)
            self.assertEqual(second.returncode, 1)
            entry = json.loads(second.stderr.splitlines()[-1])
            self.assertEqual((entry["log.level"], entry["error.code"]), ("error", 6004))


class MetricsTest(ProjectTest):
    def test_every_metric_has_help_and_counts(self):
        with Server(self.project(), *FREE_PORT) as server:
            _, answer = server.request("/api/v1/streams/clicks/records",
                                       json.dumps(CLICK).encode() + b"\nnot json\n")
            server.request(f"/api/v1/views/clicks_per_minute?wait_for={answer['position']}")
            _, text = server.request("/api/v1/metrics")
            helps = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP")}
            types = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
            self.assertEqual(helps, types)
            values = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
            for name, value in {
                    'millrace_ingest_accepted_records_total{table="clicks"}': 1,
                    'millrace_ingest_refused_records_total{table="clicks"}': 1,
                    'millrace_view_in_rows_total{view="clicks_per_minute"}': 1,
                    'millrace_view_lag_rows{view="clicks_per_minute"}': 0,
                    'millrace_view_failed{view="clicks_per_minute"}': 0,
                    'millrace_view_rows{view="clicks_per_minute"}': 1,
                    'millrace_ingest_idempotency_keys': 0,
                    'millrace_ingest_idempotency_replays_total': 0,
                    'millrace_stream_disk_full': 0}.items():
                self.assertEqual(float(values[name]), value, name)
            for name in ("millrace_process_resident_memory_bytes",
                         "millrace_process_cpu_seconds_total",
                         "millrace_process_open_descriptors",
                         "millrace_stream_round_seconds_count",
                         "millrace_stream_committed_bytes_total",
                         "millrace_stream_cache_hits_total",
                         "millrace_stream_cache_bytes",
                         'millrace_view_commit_seconds_count{view="clicks_per_minute"}'):
                self.assertGreater(float(values[name]), 0, name)
            documented = run("reference", "metrics").stdout
            for name in helps:
                self.assertIn(f"`{name}`", documented)


class SqlTest(ProjectTest):
    def test_answers_in_every_format(self):
        with Server(self.project(sql=CLICKS), *FREE_PORT) as server:
            server.post("clicks", {"url": "/a", "price": 1.5, "at": "2026-01-01T00:00:01Z"},
                        {"url": "/b", "price": 2, "at": "2026-01-01T00:00:02Z"})
            query = "SELECT url, price FROM clicks ORDER BY price DESC"
            ask = ("sql", "--url", server.url)
            table = run(*ask, "-c", query)
            self.assertEqual(table.stdout, "url  price\n/b    2.00\n/a    1.50\n(2 rows)\n")
            self.assertEqual(run(*ask, "--format", "csv", "-c", query).stdout,
                             "url,price\n/b,2.00\n/a,1.50\n")
            self.assertEqual(run(*ask, "--format", "json", "--limit", "1", "-c", query).stdout,
                             '{"url":"/b","price":2.00}\n')
            wrong = run(*ask, "-c", "SELECT one,\n  two FROM clicks; SELECT 1 AS a FROM clicks")
            self.assertEqual((wrong.returncode, wrong.stdout), (1, ""))
            self.assertIn("MR2005: line 1, column 8", wrong.stderr)
            self.assertIn("  SELECT one,\n         ^", wrong.stderr)
            several = subprocess.run(
                [BINARY, *ask], capture_output=True, text=True,
                input=f"{query} LIMIT 1;\nSELECT count(*) AS n FROM clicks_per_minute")
            self.assertEqual(several.stdout, "url  price\n/b    2.00\n(1 row)\nn\n2\n(1 row)\n")
            status, plan = server.request(
                "/api/v1/query", b'{"sql": "EXPLAIN SELECT url FROM clicks"}',
                **{"Content-Type": "application/json"})
            self.assertEqual(status, 200)
            self.assertIn("Scan clicks", plan["rows"][-1]["plan"])


class BenchTest(ProjectTest):
    def test_measures_a_temporary_server_and_a_running_one(self):
        own = run("bench", "--seconds", "0.2", "--connections", "2", "--body-bytes", "4096",
                  "--dir", self.root, "--format", "json")
        self.assertEqual(own.returncode, 0, own.stderr)
        self.assertGreater(json.loads(own.stdout)["events"], 0)
        self.assertEqual(list(self.root.iterdir()), [])
        with Server(self.project(sql=CLICKS), *FREE_PORT) as server:
            other = run("bench", "--stream", "clicks", "--seconds", "0.2", "--rate", "1000",
                        "--url", server.url)
            self.assertEqual(other.returncode, 0, other.stderr)
            self.assertRegex(other.stdout, r"(?m)^answers +p50 [\d.]+ ms")
            _, stream = server.request("/api/v1/streams/clicks")
            self.assertGreater(stream["offsets"], 0)
            self.assertEqual(stream["errors"], 0)


if __name__ == "__main__":
    unittest.main()

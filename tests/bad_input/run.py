#!/usr/bin/env python3
"""Sends the running program what no client should send, and checks what becomes of it.

Every bad record ends as an error row with its own bytes and a code, every bad request as a problem
document; everything beside it goes on; and the sums hold at the end of each test:
    records accepted + rejected = rows of the stream + rows of errors$<stream>
    per view: rows in = accepted + filtered + late + failed
Nothing here waits by the clock: answers name positions, and queries wait for them.
"""

import argparse
import gzip
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SQL = """
CREATE TABLE events (id bigint NOT NULL, name text, n int, price numeric(10,2), d double precision,
                     small smallint, flag boolean, day date, at timestamptz, doc jsonb, raw bytea,
                     u uuid, half int GENERATED ALWAYS AS (100 / n) STORED)
  WITH (event_time = 'at', partitions = 1);
CREATE MATERIALIZED VIEW counts AS
  SELECT window_start, count(*) AS c FROM tumble(events, at, interval '1 hour')
  GROUP BY window_start;
CREATE MATERIALIZED VIEW inverse AS SELECT id, 1 / d AS inverse FROM events WHERE d < 1000;
"""
RECORD_BYTES_MAX = 1 << 20
BINARY = None


class Server:
    """The program on a free port over a project of its own."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="millrace-bad-input-")
        with open(os.path.join(self.folder, "project.sql"), "w", encoding="utf-8") as file:
            file.write(SQL)
        self.process = subprocess.Popen(
            [BINARY, "run", self.folder, "--listen", "127.0.0.1:0"],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.port = None
        for line in self.process.stderr:
            found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
            if found:
                self.port = int(found.group(1))
                break
        if self.port is None:
            raise RuntimeError(f"the program ended with {self.process.wait()}")

    def stop(self):
        self.process.terminate()
        status = self.process.wait(timeout=60)
        self.process.stderr.close()
        shutil.rmtree(self.folder)
        return status

    def request(self, method, path, body=None, headers=None):
        """(status, headers, body) of a request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def get(self, path):
        status, _, body = self.request("GET", path)
        if status != 200:
            raise AssertionError(f"GET {path}: {status} {body[:300]}")
        return json.loads(body)


class BadInput(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.accepted = 0
        self.rejected = 0
        self.position = ""

    def tearDown(self):
        try:
            if self._outcome.success:
                self.check_sums()
        finally:
            status = self.server.stop()
        self.assertEqual(status, 0, "the program's exit status")

    def post(self, body, content_type="application/x-ndjson", **headers):
        status, _, answer = self.server.request(
            "POST", "/api/v1/streams/events/records", body,
            {"Content-Type": content_type, **headers})
        self.assertEqual(status, 200, answer[:300])
        answer = json.loads(answer)
        self.accepted += answer["accepted"]
        self.rejected += answer["rejected"]
        self.position = answer["position"] or self.position
        return answer

    def refuse(self, body, status, code, content_type="application/x-ndjson", **headers):
        """Posts what must be answered with a problem document, and leaves nothing behind."""
        got, got_headers, answer = self.server.request(
            "POST", "/api/v1/streams/events/records", body,
            {"Content-Type": content_type, **headers})
        self.assertEqual(got, status, answer[:300])
        self.assertEqual(got_headers["Content-Type"], "application/problem+json")
        problem = json.loads(answer)
        self.assertEqual((problem["code"], problem["status"]), (code, status), problem)

    def rows(self, stream):
        rows, position = [], ""
        while True:
            page = self.server.get(f"/api/v1/streams/{stream}/records?limit=10000"
                                   + (f"&from={position}" if position else ""))
            if not page["records"]:
                return rows
            rows.extend(record["row"] for record in page["records"])
            position = page["next"]

    def view(self, name):
        return self.server.get(f"/api/v1/views/{name}?limit=10000&wait_for={self.position}")["rows"]

    def error_rows(self, stream="events"):
        """(code, original bytes) of each error row, in order."""
        return [(row["code"], bytes.fromhex(row["record"][2:]))
                for row in self.rows(f"errors${stream}")]

    def check_sums(self):
        good = self.rows("events")
        bad = self.rows("errors$events")
        self.assertEqual(self.accepted, len(good))
        self.assertEqual(self.rejected, len(bad))
        if self.position:
            self.view("counts"), self.view("inverse")  # They have caught up then.
        metrics = self.server.request("GET", "/api/v1/metrics")[2].decode()
        values = {(name, view): float(value) for name, view, value in re.findall(
            r'^millrace_view_rows_(\w+)_total\{view="(\w+)"\} (\S+)$', metrics, re.MULTILINE)}
        for view in ("counts", "inverse"):
            parts = [values[part, view] for part in ("accepted", "filtered", "late", "failed")]
            self.assertEqual(values["in", view], sum(parts), view)
            self.assertEqual(values["in", view], len(good), view)
            self.assertEqual(values["late", view] if view == "counts" else 0,
                             len(self.rows("late$counts")))
            self.assertEqual(values["failed", view], len(self.rows(f"errors${view}")))

    def expect_each(self, cases):
        """Posts the cases, (code or None, record bytes), as lines of one request between good
        records, and checks each one's fate."""
        good = b'{"id":1,"n":1,"at":"2026-01-01T00:00:00Z"}'
        lines = [good]
        for _, record in cases:
            lines += [record, good]
        answer = self.post(b"\n".join(lines))
        bad = [(code, record) for code, record in cases if code is not None]
        self.assertEqual([error["code"] for error in answer["errors"]],
                         [f"MR{code}" for code, _ in bad])
        self.assertEqual([error["index"] for error in answer["errors"]],
                         [2 * i + 1 for i, (code, _) in enumerate(cases) if code is not None])
        self.assertEqual(answer["accepted"], len(lines) - len(bad))
        self.assertEqual(self.error_rows(), [(code, record.rstrip()) for code, record in bad])

    def test_syntax(self):
        self.expect_each([
            (4001, b"nonsense"),
            (4001, b"{"),
            (4001, b'{"id":1'),
            (4001, b'{"id":1}}'),
            (4001, b'{"id":1} {"id":2}'),
            (4001, b'{"id":1,}'),
            (4001, b"{'id':1}"),
            (4001, b'{"id":01}'),
            (4001, b'{"id":1,"name":"a'),
            (4001, b'{"id":1,"name":"\\x"}'),
            (4001, b'{"id":NaN}'),
            (4001, b'{"id":1,"doc":tru}'),
            (None, b' \t{ "id" : 1 , "n" : 1 } \r'),
        ])

    def test_types_and_missing_columns(self):
        self.expect_each([
            (4003, b'{"id":"1"}'),
            (4003, b'{"id":1.5}'),
            (4003, b'{"id":1,"name":2}'),
            (4003, b'{"id":1,"flag":"true"}'),
            (4003, b'{"id":1,"price":"1.5"}'),
            (4003, b'{"id":1,"name":{"a":1}}'),
            (4003, b'{"id":1,"raw":"xyz"}'),
            (4003, b'{"id":1,"u":"not a uuid"}'),
            (4002, b'{}'),
            (4002, b'{"name":"x"}'),
            (4002, b'{"id":null}'),
            (4003, b'[1]'),
            (4003, b'"id"'),
            (4003, b'null'),
            (None, b'{"id":1,"n":1,"unknown":{"deep":[1,2,3]}}'),
        ])

    def test_numbers_out_of_range(self):
        self.expect_each([
            (4004, b'{"id":9223372036854775808}'),
            (4004, b'{"id":-9223372036854775809}'),
            (4004, b'{"id":1,"n":2147483648}'),
            (4004, b'{"id":1,"small":32768}'),
            (4004, b'{"id":1,"price":100000000}'),
            (4004, b'{"id":1,"d":1e400}'),
            (4004, b'{"id":' + b"9" * 5000 + b"}"),
            (None, b'{"id":-9223372036854775808,"n":-2147483648,"small":-32768}'),
            (None, b'{"id":1,"n":1,"price":99999999.994,"d":1e-320}'),
            (None, b'{"id":1,"n":1,"d":"NaN","doc":' + b"9" * 5000 + b"}"),
        ])

    def test_text(self):
        self.expect_each([
            (4005, b'{"id":1,"name":"\xff"}'),
            (4005, b'{"id":1,"name":"\xc0\xaf"}'),
            (4005, b'{"id":1,"name":"\xed\xa0\x80"}'),
            (4005, b'{"id":1,"name":"a\\u0000b"}'),
            (4005, b'{"id":1,"name":"\\ud800"}'),
            (4005, b'{"id":1,"doc":{"a":"\\u0000"}}'),
            (4005, b'\xff\xfe'),
            (4001, b'{"id":1,"name":"\x00"}'),
            (4001, b'\x00'),
            (None, '{"id":1,"n":1,"name":"\\ud83d\\ude00 \u00e4 \U0001f600"}'.encode()),
        ])
        names = {row["name"] for row in self.rows("events")}
        self.assertEqual(names, {None, "\U0001f600 \u00e4 \U0001f600"})

    def test_timestamps(self):
        def at(text):
            return b'{"id":1,"n":1,"at":"' + text + b'"}'
        self.expect_each([
            (4010, at(b"yesterday")),
            (4010, at(b"2026-02-30T00:00:00Z")),
            (4010, at(b"0000-12-31T23:59:59Z")),
            (4010, at(b"10000-01-01T00:00:00Z")),
            (4010, at(b"2026-01-01T25:00:00Z")),
            (4010, b'{"id":1,"day":"2026-13-01"}'),
            (None, at(b"9999-12-31T23:59:59.999999Z")),
            (None, at(b"0001-01-01T00:00:00Z")),
        ])
        # Year 9999 has moved no watermark: a record of now is still in time.
        answer = self.post(b'{"id":7,"n":1,"at":"2026-01-01T00:30:00Z"}')
        self.assertEqual(answer["accepted"], 1)
        starts = [row["window_start"] for row in self.view("counts")]
        self.assertIn("2026-01-01T00:00:00Z", starts)

    def test_duplicate_keys(self):
        self.expect_each([
            (4009, b'{"id":1,"id":2}'),
            (4009, b'{"id":1,"name":"a","name":"a"}'),
            (4009, b'{"id":1,"\\u006eame":"a","name":"b"}'),
            (None, b'{"id":1,"n":1,"unknown":1,"unknown":2}'),
            (None, b'{"id":1,"n":1,"doc":{"a":1,"a":2}}'),
        ])
        docs = [row["doc"] for row in self.rows("events") if row["doc"] is not None]
        self.assertEqual(docs, [{"a": 2}])

    def test_generated_column(self):
        self.expect_each([
            (4015, b'{"id":1, "n":0}'),
            (4003, b'{"id":"x","n":0}'),
            (4015, b'{"id":2,"n":0 , "name":"kept as it was"} '),
            (None, b'{"id":3,"n":7}'),
        ])
        self.assertEqual(self.rows("events")[-2]["half"], 14)

    def test_depth(self):
        deep = 100_000
        self.expect_each([
            (4006, b'{"id":1,"doc":' + b"[" * deep + b"]" * deep + b"}"),
            (4006, b'{"id":1,"doc":' + b'{"a":' * deep + b"1" + b"}" * deep + b"}"),
            (4006, b'{"id":1,"unknown":' + b"[" * deep + b"]" * deep + b"}"),
            (4003, b"[" * deep + b"]" * deep),
            (None, b'{"id":1,"n":1,"doc":' + b"[" * 60 + b"]" * 60 + b"}"),
        ])

    def test_long_records(self):
        def padded(size):
            head, tail = b'{"id":1,"n":1,"name":"', b'"}'
            return head + b"x" * (size - len(head) - len(tail)) + tail
        self.expect_each([
            (None, padded(RECORD_BYTES_MAX)),
            (4007, padded(RECORD_BYTES_MAX + 1)),
            (4007, b"x" * (2 * RECORD_BYTES_MAX)),
        ])

    def test_documents(self):
        good = b'{"id":1,"n":1}'
        answer = self.post(b"[" + good + b',{"id":"x"}, 5 ,' + good + b"]", "application/json")
        self.assertEqual(answer["accepted"], 2)
        self.assertEqual([error["code"] for error in answer["errors"]], ["MR4003", "MR4003"])
        answer = self.post(b"[" + good + b"," + good, "application/json")
        self.assertEqual((answer["accepted"], answer["rejected"]), (2, 1))
        answer = self.post(b"", "application/json")
        self.assertEqual((answer["accepted"], answer["rejected"]), (0, 0))
        self.assertEqual([record for _, record in self.error_rows()],
                         [b'{"id":"x"}', b"5", b""])

    def test_requests(self):
        good = b'{"id":1,"n":1}'
        self.refuse(good, 415, "MR7007", "text/csv")
        self.refuse(good, 415, "MR7007", **{"Content-Encoding": "br"})
        status, _, answer = self.server.request(
            "POST", "/api/v1/streams/nowhere/records", good,
            {"Content-Type": "application/x-ndjson"})
        self.assertEqual((status, json.loads(answer)["code"]), (404, "MR5001"))
        status, _, answer = self.server.request("GET", "/api/v1/views/counts?nix=1")
        self.assertEqual(status, 400, answer)
        self.post(good)

    def test_gzip(self):
        good = b'{"id":1,"n":1}\n' * 100
        packed = gzip.compress(good)
        encoding = {"Content-Encoding": "gzip"}
        self.assertEqual(self.post(packed, **encoding)["accepted"], 100)
        self.assertEqual(self.post(packed + gzip.compress(good), **encoding)["accepted"], 200)
        self.refuse(packed[:-9], 400, "MR4012", **encoding)
        self.refuse(packed[:10], 400, "MR4012", **encoding)
        self.refuse(b"", 400, "MR4012", **encoding)
        self.refuse(good, 400, "MR4012", **encoding)
        damaged = bytearray(packed)
        damaged[-6] ^= 1
        self.refuse(bytes(damaged), 400, "MR4012", **encoding)
        bomb = gzip.compress(b"\n" * (512 << 20), 9)
        self.refuse(bomb, 413, "MR7006", **encoding)
        self.assertEqual(self.post(packed, **encoding)["accepted"], 100)

    def test_failing_and_late_rows(self):
        self.post(b'{"id":1,"n":1,"d":0,"at":"2026-01-01T05:00:00Z"}')
        self.post(b'{"id":2,"n":1,"d":2,"at":"2026-01-01T00:00:00Z"}')
        self.assertEqual([(row["code"], json.loads(bytes.fromhex(row["record"][2:]))["id"])
                          for row in self.wait_rows("inverse", "errors$inverse")], [(3001, 1)])
        late = self.wait_rows("counts", "late$counts")
        self.assertEqual([(row["code"], row["partition"], json.loads(
            bytes.fromhex(row["record"][2:]))["id"]) for row in late], [(3004, 0, 2)])

    def wait_rows(self, view, stream):
        self.view(view)
        return self.rows(stream)


class BadSql(unittest.TestCase):
    """`millrace check` on texts that no person wrote."""

    def check(self, sql):
        with tempfile.TemporaryDirectory(prefix="millrace-bad-sql-") as folder:
            with open(os.path.join(folder, "a.sql"), "wb") as file:
                file.write(sql)
            done = subprocess.run([BINARY, "check", folder], capture_output=True, timeout=120)
            return done.returncode, (done.stdout + done.stderr).decode(errors="replace")

    def expect(self, sql, code):
        status, output = self.check(sql)
        self.assertEqual(status, 1, output[:300])
        self.assertIn(f"MR{code}", output[:3000])

    def test_sizes(self):
        table = b"CREATE TABLE t (a int);\n"
        terms = b" + ".join([b"a"] * 100_000)
        view = b"CREATE MATERIALIZED VIEW v AS SELECT %s AS x FROM t;"
        self.expect(table + view % terms, 2003)
        self.expect(table + view % (b"(" * 50_000 + b"a" + b")" * 50_000), 2003)
        self.expect(table + view % b" OR ".join([b"a = 1"] * 100_000), 2003)
        self.expect(table + view % (b"-" * 1 + b" - " * 20_000 + b"a"), 2003)
        self.expect(b"x" * (1 << 20), 2001)
        self.expect(b"x" * ((1 << 20) + 1), 2003)
        self.expect(b"-- \n" * (1 << 18) + b" ", 2003)
        self.expect(table + view % b" + ".join([b"a"] * 5_000), 2003)
        status, output = self.check(table + view % b" + ".join([b"a"] * 400))
        self.assertEqual(status, 0, output)

    def test_bytes(self):
        self.expect(b"CREATE TABLE t (a int);\xff", 2001)
        self.expect(b"CREATE TABLE \x00 t (a int);", 2001)
        self.expect(b"CREATE TABLE t (a int); SELECT 'unterminated", 2001)
        self.expect(b"CREATE TABLE t (a int); SELECT $$unterminated", 2001)


def main():
    global BINARY
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    arguments, rest = parser.parse_known_args()
    BINARY = os.path.abspath(arguments.binary)
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)


if __name__ == "__main__":
    main()

"""Runs the program under test: one command to its end, or a server until it is stopped.

MILLRACE_BINARY names the program. Nothing here sleeps: a server says in its log what it has done.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

BINARY = os.path.abspath(os.environ.get("MILLRACE_BINARY", "build/release/millrace"))
TIMEOUT_S = 60

CLICKS = """\
CREATE TABLE clicks (url text NOT NULL, price numeric(12,2), at timestamptz NOT NULL)
  WITH (connector = 'http', event_time = 'at', watermark_delay = '5 seconds');
CREATE MATERIALIZED VIEW clicks_per_minute AS
  SELECT window_start, url, count(*) AS n FROM tumble(clicks, at, interval '1 minute')
  GROUP BY window_start, window_end, url;
"""


def clean_environment(**variables):
    """The environment of this process without what would configure the program, and `variables`."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("MILLRACE_") and name != "CONFIG_PATH"}
    return kept | variables


def run(*arguments, environment=None, directory=None):
    """Runs one command to its end; returns its CompletedProcess with texts."""
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True,
                          text=True, timeout=TIMEOUT_S, cwd=directory,
                          env=environment or clean_environment())


class Server:
    """A running `millrace run` on a free port, whose log is read line by line."""

    def __init__(self, *arguments, environment=None, directory=None):
        self.log = []
        self.process = subprocess.Popen(
            [BINARY, "run", *map(str, arguments)], stderr=subprocess.PIPE,
            text=True, cwd=directory, env=environment or clean_environment())
        self.url = self.wait_for("listening")["url.full"]

    def wait_for(self, message):
        """Reads the log until a line has `message`, and returns it."""
        for line in self.process.stderr:
            entry = json.loads(line)
            self.log.append(entry)
            if entry["message"] == message:
                return entry
        raise AssertionError(f"the server ended without saying {message!r}: {self.log}")

    def request(self, path, body=None, token=None, **headers):
        """Returns the status and the parsed answer, also of errors."""
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers.setdefault("Content-Type", "application/x-ndjson")
        request = urllib.request.Request(self.url + path, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                text, status, kind = answer.read(), answer.status, answer.headers["Content-Type"]
        except urllib.error.HTTPError as error:
            text, status, kind = error.read(), error.code, error.headers["Content-Type"]
        return status, json.loads(text) if "json" in kind else text.decode()

    def post(self, stream, *records, **options):
        body = "".join(json.dumps(record) + "\n" for record in records).encode()
        return self.request(f"/api/v1/streams/{stream}/records", body, **options)

    def stop(self, how=signal.SIGTERM):
        """Sends a signal and returns the exit status; the rest of the log is in `log`."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        for line in self.process.stderr:
            self.log.append(json.loads(line))
        self.process.stderr.close()
        return self.process.wait(TIMEOUT_S)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()


class ProjectTest(unittest.TestCase):
    """A test with an empty directory `root`, removed at its end."""

    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="millrace-cli-"))
        self.addCleanup(shutil.rmtree, self.root)

    def project(self, name="p", sql=CLICKS, configuration=None):
        """Makes a project directory and returns its path."""
        directory = self.root / name
        directory.mkdir()
        (directory / "clicks.sql").write_text(sql)
        if configuration is not None:
            (directory / "millrace.yaml").write_text(configuration)
        return directory

"""A Millrace process under test, asked over HTTP."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time
import urllib.parse

TIMEOUT_S = 60


class Failure(Exception):
    """What a test found wrong."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Millrace:
    """`millrace run PROJECT`, on its own port and data; can start again after a kill."""

    def __init__(self, binary, project, work):
        self.port = free_port()
        self.command = [binary, "run", project, "--data-dir", os.path.join(work, "data")]
        self.command += ["--listen", f"127.0.0.1:{self.port}"]
        self.log_path = os.path.join(work, "millrace.log")
        self.process = None

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        wait_until(self.is_ready, "the server to come up")

    def is_ready(self):
        if self.process.poll() is not None:
            raise Failure(f"the server ended with {self.process.returncode}: {self.log()}")
        try:
            self.get("/readyz")
            return True
        except OSError:
            return False

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(timeout=TIMEOUT_S) != 0:
            raise Failure(f"SIGTERM ended it with {self.process.returncode}: {self.log()}")

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise Failure(f"GET {path}: {response.status} {body[:300]}")
        return json.loads(body) if body[:1] in (b"{", b"[") else body

    def rows(self, view):
        """All rows of a view."""
        rows, cursor = [], None
        while True:
            after = "" if cursor is None else "&cursor=" + urllib.parse.quote(cursor)
            answer = self.get(f"/api/v1/views/{view}?limit=1000{after}")
            rows += answer["rows"]
            cursor = answer["next_cursor"]
            if cursor is None:
                return rows


def wait_until(condition, what):
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(f"waited {TIMEOUT_S} s for {what}")
        time.sleep(0.02)

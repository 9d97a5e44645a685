"""The process under test, and the ways in which it is made to end or to fail."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30


class Failure(Exception):
    """Something is wrong with the program under test."""


class NotRun(Exception):
    """What was to be tried is not possible on this machine; says why."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(condition, timeout_s, what):
    """Polls `condition` until it is true and returns its value; `what` may be a function."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f"timeout: {what() if callable(what) else what}")
        time.sleep(0.002)


class Injection:
    """What strace does to calls of these names: `action` as in its option -e inject=; without one
    it only writes them down."""

    def __init__(self, calls, action=None):
        self.calls, self.action = calls, action

    def arguments(self, log):
        calls = ",".join(self.calls)
        inject = ["-e", f"inject={calls}:{self.action}"] if self.action else []
        return ["strace", "-qq", "-o", log, "-e", f"trace={calls}", "-e", "signal=none", *inject]


def require_strace():
    """Raises NotRun unless this process may trace its children."""
    if not shutil.which("strace"):
        raise NotRun("strace is not installed")
    probe = subprocess.run(["strace", "-qq", "-e", "trace=none", "true"], capture_output=True)
    if probe.returncode != 0:
        raise NotRun(f"strace may not trace here: {probe.stderr.decode().strip()[:200]}")


class Server:
    """Started again after each end, on the same port and data. `workers` and `settings`, options of
    millrace.yaml, may change between."""

    def __init__(self, binary, project, root, data):
        self.port = free_port()
        self.trace_log = os.path.join(root, "strace.log")
        self.workers = 0
        self.settings = {}
        self._command = [binary, "run", project, "--data-dir", data,
                         "--listen", f"127.0.0.1:{self.port}"]
        self._log_path = os.path.join(root, "server.log")
        self._log = open(self._log_path, "ab")
        self._process = None
        self._tracer = None

    def start(self, injection=None, may_end=False):
        """Starts it, with an injection into its main thread, and waits until it answers.

        Returns whether it does; only with `may_end` it may end instead.
        """
        command = self._command + ["--workers", str(self.workers)]
        for name, value in self.settings.items():
            command += ["--set", f"{name}={value}"]
        if injection:
            # -D: the tracer is a grandchild, so that the process we wait for is the server.
            command = injection.arguments(self.trace_log) + ["-D", "--"] + command
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            if self._process.poll() is not None:
                if may_end:
                    return False
                raise Failure(f"the server ended with {self._process.returncode} at start: "
                              f"{self.last_words()}")
            try:
                self.get("/livez", timeout_s=5)
                return True
            except OSError:
                if time.monotonic() > deadline:
                    raise Failure("the server did not come up") from None
                time.sleep(0.005)

    def last_words(self):
        with open(self._log_path, encoding="utf-8", errors="replace") as log:
            return " | ".join(log.read().splitlines()[-3:])

    def exit_status(self):
        """Of the process that has ended."""
        return self._process.returncode

    def is_running(self):
        return self._process is not None and self._process.poll() is None

    def kill(self):
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._end_tracer()

    def stop(self):
        """SIGTERM; a clean end is exit status 0."""
        self._process.send_signal(signal.SIGTERM)
        status = self.wait_for_end(STOP_TIMEOUT_S)
        if status != 0:
            raise Failure(f"SIGTERM ended it with {status}: {self.last_words()}")

    def wait_for_end(self, timeout_s):
        """The exit status, or None when it still runs."""
        try:
            status = self._process.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            return None
        self._end_tracer()
        return status

    def thread_id(self, name):
        """The thread of that name in /proc."""
        tasks = f"/proc/{self._process.pid}/task"
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/comm", encoding="utf-8") as comm:
                if comm.read().strip() == name:
                    return int(task)
        raise Failure(f"the server has no thread {name}")

    def _is_ended_by_injection(self):
        """The tracer may have done its work before anybody has looked."""
        try:
            return self._process.wait(timeout=1) == -signal.SIGKILL
        except subprocess.TimeoutExpired:
            return False

    def trace(self, injection, thread=None):
        """Injects into one thread, all threads without `thread`, until detach()."""
        pid = self.thread_id(thread) if thread else self._process.pid
        arguments = injection.arguments(self.trace_log) + ([] if thread else ["-f"])
        self._tracer = subprocess.Popen(arguments + ["-p", str(pid)], stdout=self._log,
                                        stderr=self._log)
        tasks = f"/proc/{self._process.pid}/task"

        def attached():
            if self._tracer.poll() is not None and self._is_ended_by_injection():
                return True
            if self._tracer.poll() is not None:
                raise NotRun("strace may not attach to a running process here")
            traced = [pid] if thread else os.listdir(tasks)
            return all(self._is_traced(f"{tasks}/{task}/status") for task in traced)

        wait_until(attached, 10, "strace did not attach")

    @staticmethod
    def _is_traced(status_path):
        try:
            with open(status_path, encoding="utf-8") as status:
                return not any(line == "TracerPid:\t0\n" for line in status)
        except (FileNotFoundError, ProcessLookupError):
            return True

    def detach(self):
        """The server goes on as if nothing had been."""
        self._end_tracer()

    def _end_tracer(self):
        if self._tracer:
            self._tracer.send_signal(signal.SIGTERM)
            self._tracer.wait()
            self._tracer = None

    def traced_calls(self):
        """Names of the calls in the log of the last trace."""
        with open(self.trace_log, encoding="utf-8", errors="replace") as log:
            return set(re.findall(r"^(?:\d+ +)?(\w+)\(", log.read(), re.MULTILINE))

    def close(self):
        if self.is_running():
            self.kill()
        self._log.close()

    def get(self, path, timeout_s=30):
        """The body of a 200 answer: parsed when it is JSON."""
        status, body = self.request("GET", path, timeout_s=timeout_s)
        if status != 200:
            raise Failure(f"GET {path}: {status} {body[:300]}")
        return json.loads(body) if body[:1] in b"{[" else body

    def request(self, method, path, body=None, headers=None, timeout_s=30):
        """(status, body). OSError when there is no whole answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read()
        except http.client.HTTPException as broken:
            raise ConnectionError(str(broken)) from broken
        finally:
            connection.close()

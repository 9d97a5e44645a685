"""The ways in which a run is disturbed. Each works on a Trial: one server, its load and checks."""

import collections
import os
import random
import re
import shutil
import threading
import time

import load
from checker import Checker
from feeds import StreamFeed, ViewFeed
from files import BoundedFiles, GrowingLog
from server import Failure, Injection, Server, require_strace, wait_until

EXIT_FATAL = 70
# Every call of the program that changes what is on the disk or makes it durable.
DURABLE_CALLS = ("pwritev", "fdatasync", "fsync", "fallocate", "ftruncate", "rename", "unlink",
                 "mkdir")
# Others that would be; when the program begins to make one, it belongs into the list above.
OTHER_DURABLE_CALLS = ("pwrite64", "pwritev2", "sync_file_range", "sync", "syncfs", "truncate",
                       "renameat", "renameat2", "unlinkat", "rmdir", "mkdirat", "link", "linkat",
                       "symlink", "msync")
NEED_SPACE = ("pwritev", "fallocate")
STARTING = "start"
THREADS = (STARTING, "mr-committer", "mr-copier")
# Which of them must be hit for a run to count, and how often.
REQUIRED_POINTS = {(STARTING, "fdatasync"): 2, (STARTING, "pwritev"): 3, (STARTING, "fsync"): 3,
                   ("mr-committer", "pwritev"): 10, ("mr-committer", "fdatasync"): 10,
                   ("mr-copier", "pwritev"): 5, ("mr-copier", "fdatasync"): 5}
# With these the copier has work to do, and journal files come back into use, every few seconds.
SMALL_FILES = {"storage.journal_file_bytes": "1MiB", "storage.segment_bytes": "1MiB",
               "storage.direct_bytes_min": "16KiB"}
HISTORIES_MAX = 4
# A query of the project as it was, or with a condition that all rows fulfil.
QUERY = re.compile(r"(FROM (?:events|per_minute|tumble\([^)]*\)))(?: WHERE \w+ > -\d+)?"
                   r"(?=;| GROUP BY)")
DETACHED_S = 0.1  # What a tracer has begun is done by then.
# It waits until a journal file is full, the others have something to do all the time.
COPIER_PATIENCE = 4


def say(text):
    print(f"crash: {text}", flush=True)


class Trial:
    """One data directory, what is sent to it, and what is read from it, over many lives."""

    def __init__(self, options, project, root):
        self.options = options
        self.root = root
        self.rng = random.Random(options.seed)
        self.disk = os.path.join(root, "disk")
        os.makedirs(self.disk, exist_ok=True)
        self._project = shutil.copytree(project, os.path.join(root, "project"))
        self.server = Server(options.binary, self._project, root, os.path.join(self.disk, "data"))
        self.small_files = None     # Whether the server runs with SMALL_FILES; None = drawn.
        self.changes = 0
        self.done = 0.0             # Which share of the kills is behind it.
        self.load = load.Load(self.server, options)
        self.checker = Checker(self.server, options.seed, [0] * options.producers)
        self.log = GrowingLog(self._project, "log", options.seed, options.file_rate)
        self._files = {}            # What is read from files -> its checker.
        self._follow(self.log)
        self.add_history()
        self.stream_feed = self.view_feed = self.filler = None

    def _follow(self, source):
        self._files[source] = Checker(self.server, self.options.seed, source.first_seq,
                                      source.table, source.table + "_")

    def add_history(self):
        """A bounded input more; the server must be down."""
        self._follow(BoundedFiles(self._project, f"history_{len(self._files)}", self.options.seed,
                                  self.options.file_lines))

    def start(self):
        self.log.start()
        self.restart()
        self.stream_feed = StreamFeed(self.server, self.options.producers)
        self.view_feed = ViewFeed(self.server, "per_key")
        self.stream_feed.start()
        self.view_feed.start()
        self.load.followed_count = lambda: self.stream_feed.events
        self.load.start()

    def restart(self, injection=None, may_end=False):
        self.server.workers = self.options.workers or self.rng.choice([1, 2, 4])
        small = self.rng.choice([False, True]) if self.small_files is None else self.small_files
        self.server.settings = SMALL_FILES if small else {}
        # One bounded input is read in no time: over a run there are several.
        while len(self._files) - 1 < HISTORIES_MAX * self.done:
            self.add_history()
        return self.server.start(injection, may_end)

    def change_queries(self):
        """Changes some views of the project, but not their rows."""
        path = os.path.join(self._project, "events.sql")
        with open(path) as file:
            text = file.read()
        text = QUERY.sub(self._changed_query, text)
        with open(path, "w") as file:
            file.write(text)
        self.changes += 1

    def _changed_query(self, query):
        column = "n" if "per_minute" in query[1] else "value"
        k = self.rng.randrange(4)
        return query[1] + (f" WHERE {column} > -{10 ** 12 + k}" if k else "")

    def check_stream(self):
        self.checker.check_stream(self.load.acked())
        for checker in self._files.values():
            checker.check_stream()
        for feed in (self.stream_feed, self.view_feed):
            if feed.failure:
                raise Failure(feed.failure)

    def check_all(self):
        """Pauses the load and compares everything."""
        self.load.pause()
        self.log.pause()
        self.check_stream()
        self.checker.check_views()
        for source, checker in self._files.items():
            self._check_files(source, checker)
        self.stream_feed.wait_until_complete(
            lambda: self.stream_feed.difference(self.checker.expected.next_seq))
        rows = self.server.get("/api/v1/views/per_key?limit=10000")["rows"]
        self.view_feed.wait_until_complete(lambda: self.view_feed.difference(rows))

    @staticmethod
    def _check_files(source, checker):
        """Waits until all that is in the files is in the stream, and compares."""
        def is_read():
            checker.check_stream()
            return checker.expected.next_seq == source.written()

        wait_until(is_read, 60, lambda: f"stream {source.table}: records up to "
                   f"{checker.expected.next_seq}, in the files {source.written()}")
        checker.check_per_key()
        checker.check_per_minute_final()
        checker.check_errors(source.bad_lines)
        wait_until(checker.has_direct_all, 60, f"{source.table}_direct: not all records are there")
        checker.check_direct(source.bad_lines)
        if isinstance(source, BoundedFiles):
            wait_until(checker.is_all_final, 60, f"{source.table}: windows of an input that has "
                       "ended are not out")

    def check_all_and_go_on(self):
        self.check_all()
        self.load.resume()
        self.log.resume()

    def finish(self):
        """The last checks, after one more kill and after an orderly end."""
        self.check_all()
        self.load.close()
        self.log.close()
        self.server.kill()
        self.restart()
        for checker in (self.checker, *self._files.values()):
            checker.check_again_from_the_start()
        self.server.stop()
        self.restart()
        self.check_stream()
        self.checker.check_views()
        for source, checker in self._files.items():
            self._check_files(source, checker)
        self.server.stop()
        from_files = sum(checker.expected.count for checker in self._files.values())
        say(f"{from_files} records from files over {self.log.rotations} rotations and "
            f"{len(self._files) - 1} bounded inputs: none lost, doubled or reordered; views exact")
        say(f"{self.checker.expected.count} records, {sum(self.load.acked())} acknowledged, "
            f"{self.stream_feed.events} events over {self.stream_feed.connections} connections, "
            f"{self.checker.final_groups} final groups: none lost, doubled or reordered; "
            "views exact")

    def close(self):
        self.server.close()
        if self.filler:
            self.filler.close()
        self.load.close()
        self.log.close()
        for feed in (self.stream_feed, self.view_feed):
            if feed:
                feed.close()


def random_kills(trial):
    """kill -9 at moments that are drawn: within a second, often at once after the start."""
    trial.start()
    count = trial.options.kills
    for kill in range(1, count + 1):
        time.sleep(trial.rng.choice([trial.rng.random(), 10 ** -trial.rng.uniform(0.5, 3)]))
        trial.server.kill()
        trial.done = kill / count
        trial.restart()
        if kill % 5 == 0:
            trial.check_stream()
        if kill % 25 == 0 or kill == count:
            trial.check_all_and_go_on()
            say(f"{kill} kills, {trial.checker.expected.count} records")
    trial.finish()


def project_changes(trial):
    """kill -9 while changed views are built beside those that serve. The views' queries change from
    life to life, in a way that leaves their rows as they are."""
    trial.start()
    count = trial.options.kills
    for kill in range(1, count + 1):
        # Often before the new ones have taken their places, sometimes long after.
        time.sleep(trial.rng.choice([1.5 * trial.rng.random(), 10 ** -trial.rng.uniform(0.5, 3)]))
        trial.server.kill()
        trial.done = kill / count
        if trial.rng.random() < 0.7:
            trial.change_queries()
        trial.restart()
        if kill % 5 == 0:
            trial.check_stream()
        if kill % 25 == 0 or kill == count:
            trial.check_all_and_go_on()
            say(f"{kill} kills, {trial.changes} changes of queries, {trial.view_feed.rebuilt} seen "
                f"by a feed, {trial.checker.expected.count} records")
    if count >= 25 and trial.view_feed.rebuilt == 0:
        raise Failure("no view was replaced: the test no longer tries what it says")
    trial.finish()


def kill_points(trial):
    """kill -9 at durable system calls: at the k-th call of each name, on each thread that makes
    them, before the call has an effect. strace counts calls by thread, and so do we."""
    require_strace()
    trial.small_files = True
    trial.load.rate = max(trial.load.rate, 2_500)
    trial.start()
    _expect_known_calls_only(trial)
    hit = collections.Counter()
    series = [(thread, call) for call in DURABLE_CALLS for thread in THREADS]
    next_k = {}
    tries = 0
    # In turns, so that a small number of kills still sees every kind.
    while series and sum(hit.values()) < trial.options.kills:
        still = []
        for thread, call in series:
            k = next_k.get((thread, call), 1)
            killed = _kill_at(trial, thread, call, k)
            tries += 1
            if killed:
                hit[thread, call] += 1
                trial.done = sum(hit.values()) / trial.options.kills
                next_k[thread, call] = k + 1
                still.append((thread, call))
                trial.check_stream()
            if tries % 50 == 0:
                trial.check_all_and_go_on()
                say(f"{sum(hit.values())} kill points, {trial.checker.expected.count} records")
            if sum(hit.values()) >= trial.options.kills:
                break
        series = still
    trial.finish()
    for thread in THREADS:
        calls = ", ".join(f"{call} {n}" for (at, call), n in sorted(hit.items()) if at == thread)
        say(f"killed at calls of {thread}: {calls or 'none'}")
    for point, least in REQUIRED_POINTS.items():
        if hit[point] < min(least, trial.options.kills // 20):
            raise Failure(f"{point[0]} was killed at {hit[point]} calls of {point[1]} only: "
                          "the test no longer tries what it says")


def _expect_known_calls_only(trial):
    trial.server.trace(Injection(DURABLE_CALLS + OTHER_DURABLE_CALLS))
    time.sleep(trial.options.reach_s)
    trial.server.detach()
    calls = trial.server.traced_calls()
    if "fdatasync" not in calls or calls & set(OTHER_DURABLE_CALLS):
        raise Failure(f"the program makes other durable calls than this test knows: {calls}")


def _kill_at(trial, thread, call, k):
    """Whether the k-th call was reached, and so ended the server; it answers again on return."""
    injection = Injection([call], f"signal=SIGKILL:when={k}")
    if thread == STARTING:
        trial.server.kill()
        if trial.restart(injection, may_end=True):
            return False
    else:
        trial.server.trace(injection, thread)
        reach_s = trial.options.reach_s * (COPIER_PATIENCE if thread == "mr-copier" else 1)
        if trial.server.wait_for_end(reach_s) is None:
            trial.server.detach()
            # The call may have been reached between the two.
            if trial.server.wait_for_end(DETACHED_S) is None:
                return False
    trial.restart()
    return True


def full_disk(trial):
    """The disk is full for a while. No restart, nothing lost; reading goes on meanwhile."""
    filler = trial.filler = Filler(trial)
    # The journal file in use has its space; it must become full before anything fails.
    trial.load.rate = max(trial.load.rate, 4_000)
    trial.start()
    time.sleep(1)
    for _ in range(trial.options.rounds):
        trial.check_all_and_go_on()
        refused_before = trial.load.refused()
        filler.fill()
        wait_until(lambda: trial.load.refused() > refused_before, 60, "no request was refused")
        health = trial.server.request("GET", "/api/v1/health")
        if health[0] != 503 or b'"disk_full":true' not in health[1]:
            raise Failure(f"health says {health} with a full disk")
        trial.check_stream()
        trial.server.get("/api/v1/views/per_minute?limit=10")
        acked = trial.load.acked()
        filler.free()
        wait_until(lambda: all(now > then for now, then in zip(trial.load.acked(), acked)), 60,
                   "ingest did not go on with space to write")
        say(f"full disk: {trial.load.refused() - refused_before} requests refused, then accepted")
    _start_on_a_full_disk(trial, filler)
    trial.finish()


def _start_on_a_full_disk(trial, filler):
    """It either runs and refuses, or ends and says why; with space again it runs."""
    filler.fill()
    trial.server.kill()
    runs = filler.restart_when_full()
    if not runs and (trial.server.exit_status() != 1 or "full" not in trial.server.last_words()):
        raise Failure(f"on a full disk the start ended with {trial.server.exit_status()}: "
                      f"{trial.server.last_words()}")
    filler.free()
    if not runs:
        trial.restart()
    say(f"full disk: the start {'went well' if runs else 'said so'}, then went on")


class Filler:
    """Takes the space that is left, and what becomes free: a file beside the data directory, where
    the disk is small (run.py mounts one when it may), else strace, which makes the calls fail."""

    def __init__(self, trial):
        self._trial = trial
        self._path = os.path.join(trial.disk, "filler") if os.path.ismount(trial.disk) else None
        self._thread = None
        self._freed = threading.Event()
        if self._path is None:
            require_strace()
        say("full disk: on a small file system" if self._path else "full disk: by strace")

    def fill(self):
        if self._path is None:
            self._trial.server.trace(Injection(NEED_SPACE, "error=ENOSPC"))
        else:
            self._freed.clear()
            self._thread = threading.Thread(target=self._fill_file, daemon=True)
            self._thread.start()

    def restart_when_full(self):
        """Whether it runs."""
        injection = Injection(NEED_SPACE, "error=ENOSPC") if self._path is None else None
        return self._trial.restart(injection, may_end=True)

    def free(self):
        if self._path is None:
            self._trial.server.detach()
        else:
            self.close()
            os.unlink(self._path)

    def close(self):
        if self._thread:
            self._freed.set()
            self._thread.join()

    def _fill_file(self):
        with open(self._path, "wb", buffering=0) as filler:
            while not self._freed.is_set():
                try:
                    filler.write(b"\0" * (64 << 10))
                except OSError:
                    self._freed.wait(0.01)


def failed_sync(trial):
    """A failed write or sync is final: exit status 70, no acknowledgement after it."""
    require_strace()
    trial.start()
    time.sleep(1)
    for call in ("fdatasync", "pwritev", "fdatasync") * trial.options.rounds:
        # Paused, no request is on its way: every answer from here on comes after the failure.
        trial.check_all()
        trial.server.trace(Injection([call], "error=EIO:when=1"), "mr-committer")
        acked = trial.load.acked()
        trial.load.resume()
        trial.log.resume()
        status = trial.server.wait_for_end(10)
        if status != EXIT_FATAL:
            raise Failure(f"a failed {call} ended the server with {status}")
        if trial.load.acked() != acked:
            raise Failure(f"an acknowledgement was given after a failed {call}")
        trial.restart()
        say(f"{call} failed: the server ended with {EXIT_FATAL}, and no answer was given")
    trial.finish()

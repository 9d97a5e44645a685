"""Input from files: records as in load.py, whose `producer` is the number of a file.

Bounded files are written before the program reads them. A log grows all the time, also while the
program is down, and is rotated as logrotate does it: log -> log.1 -> log.<n>.gz.
"""

import gzip
import json
import os
import random
import shutil
import threading

import load
from server import Failure

TABLE = """\
CREATE TABLE {name} (
  producer integer NOT NULL, seq bigint NOT NULL, key text NOT NULL, value bigint NOT NULL,
  at timestamptz NOT NULL, note text NOT NULL
) WITH (connector = 'file', path = '{path}', mode = '{mode}', event_time = 'at',
        watermark_delay = '10 minutes', partitions = 3{options});
CREATE MATERIALIZED VIEW {name}_per_key AS
SELECT key, count(*) AS n, sum(value) AS total, min(value) AS low, max(value) AS high
FROM {name} GROUP BY key;
"""
FINAL_VIEW = """\
CREATE MATERIALIZED VIEW {name}_per_minute_final WITH (emit = 'final') AS
SELECT window_start, key, count(*) AS n, sum(value) AS total
FROM tumble({name}, at, interval '1 minute') GROUP BY window_start, window_end, key;
"""
BAD_LINE = "this is not a record\n"


def add_table(project, name, path, mode, options=""):
    """Adds a table over files and its views to a project; the program must be down.

    And another table over the same files that is not stored, with one view."""
    with open(os.path.join(project, f"{name}.sql"), "w", encoding="utf-8") as sql:
        sql.write(TABLE.format(name=name, path=path, mode=mode, options=options))
        sql.write(FINAL_VIEW.format(name=name))
        sql.write(TABLE.format(name=f"{name}_direct", path=path, mode=mode,
                               options=options + ", storage = 'direct'"))


def line(seed, number, seq):
    return json.dumps(load.record(seed, number, seq)) + "\n"


class BoundedFiles:
    """Files of one table that are there from the beginning, one of them compressed."""

    FILES = 4

    def __init__(self, project, name, seed, lines):
        self.table = name
        self.first_seq = [0] * self.FILES
        self.bad_lines = 0
        rng = random.Random(f"{seed} {name}")
        directory = os.path.join(project, name)
        os.makedirs(directory)
        self._lines = lines
        for number in range(self.FILES):
            text = []
            for seq in range(lines):
                if rng.random() < 0.0005:
                    text.append(BAD_LINE)
                    self.bad_lines += 1
                text.append(line(seed, number, seq))
            path = os.path.join(directory, f"part-{number}.ndjson" + (".gz" if number == 0 else ""))
            with (gzip.open if number == 0 else open)(path, "wt") as out:
                out.writelines(text)
        add_table(project, name, f"{name}/*", "bounded")

    def written(self):
        """For each file behind which record it ends."""
        return [self._lines] * self.FILES


class GrowingLog(threading.Thread):
    """Writes and rotates a log until it is closed. Files are numbered by when they began."""

    LINES_PER_FILE = 2_000

    def __init__(self, project, name, seed, rate):
        super().__init__(daemon=True)
        self.table = name
        self.bad_lines = 0
        self.first_seq = [0]
        self.failure = None
        self.rotations = 0
        self._directory = os.path.join(project, name)
        self._path = os.path.join(self._directory, "log")
        self._seed, self._rate = seed, rate
        self._rng = random.Random(f"{seed} {name}")
        self._next_seq = 0
        self._lock = threading.Lock()
        self._paused = False            # Guarded by the lock.
        self._closed = threading.Event()
        os.makedirs(self._directory)
        # A file at its end must not hold back the windows of the next one for long.
        add_table(project, name, f"{name}/log*", "follow",
                  ", poll_interval = '20 ms', idle_timeout = '1 second'")

    def run(self):
        try:
            while not self._closed.wait(0.02):
                with self._lock:
                    if not self._paused:
                        self._write(1 + self._rng.randrange(max(1, self._rate // 25)))
        except OSError as failed:
            self.failure = repr(failed)

    def _write(self, count):
        number = len(self.first_seq) - 1
        with open(self._path, "a", encoding="utf-8") as log:
            for seq in range(self._next_seq, self._next_seq + count):
                if self._rng.random() < 0.0005:
                    log.write(BAD_LINE)
                    self.bad_lines += 1
                log.write(line(self._seed, number, seq))
        self._next_seq += count
        if self._next_seq - self.first_seq[-1] >= self.LINES_PER_FILE:
            self._rotate()

    def _rotate(self):
        previous = self._path + ".1"
        if os.path.exists(previous):
            older = f"{self._path}.{self.rotations + 1}"
            os.rename(previous, older)
            with open(older, "rb") as source, gzip.open(older + ".gz", "wb") as packed:
                shutil.copyfileobj(source, packed)
            os.unlink(older)
        os.rename(self._path, previous)
        self.rotations += 1
        self.first_seq.append(self._next_seq)

    def written(self):
        """For each file behind which record it ends; call while paused."""
        if self.failure:
            raise Failure(f"writing the log: {self.failure}")
        return self.first_seq[1:] + [self._next_seq]

    def pause(self):
        """Nothing is being written on return."""
        with self._lock:
            self._paused = True

    def resume(self):
        with self._lock:
            self._paused = False

    def close(self):
        self._closed.set()
        if self.ident is not None:
            self.join()

"""What is sent. Every record is a pure function of (seed, producer, seq): the input is regenerated
and never stored."""

import datetime
import hashlib
import http.client
import json
import random
import threading
import time

from server import Failure, wait_until

# Producers stay this close together, so that no record is later than the watermark delay allows.
LEAD_MAX = 5_000
BASE_TIME = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
HEADERS = {"Content-Type": "application/x-ndjson"}
PATH = "/api/v1/streams/events/records"
# Asked again, with the same key: the disk is full, or the server is about to stop.
TRY_AGAIN = (503, 507)


def record(seed, producer, seq):
    """The record as it is sent."""
    digest = hashlib.blake2b(f"{seed} {producer} {seq}".encode(), digest_size=32).digest()
    micros = seq * 50_000 + int.from_bytes(digest[:4], "little") % 30_000_000
    at = BASE_TIME + datetime.timedelta(microseconds=micros)
    key = f"key-{digest[4] % 20}-{'x' * (digest[5] % 4 * 8)}"
    return {
        "producer": producer,
        "seq": seq,
        "key": key,
        "value": int.from_bytes(digest[7:9], "little") % 2000 - 1000,
        "at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "note": digest.hex() * (1 + digest[9] % 6),
    }


class Producer(threading.Thread):
    """Sends its records in order, the next request only after the answer to the last."""

    def __init__(self, load, number):
        super().__init__(daemon=True)
        self.acked = 0          # Records [0, acked) are acknowledged.
        self.refused = 0        # Answers 507 and 503.
        self.failure = None
        self.idle = False       # Guarded by the load's lock.
        self._load = load
        self._number = number
        self._rng = random.Random(load.seed + number)
        self._pending = None    # (first seq, count) of a request without an answer.
        self._connection = None

    def run(self):
        while not self._load.stopped.is_set() and self.failure is None:
            with self._load.lock:
                self.idle = self._pending is None and self._must_wait()
            if self.idle:
                time.sleep(0.001)
                continue
            try:
                self._send()
            except (OSError, http.client.HTTPException):
                self._connection = None
                time.sleep(0.005)

    def _must_wait(self):
        most = min(self._load.slowest() + LEAD_MAX, self._load.due())
        return self._load.paused or self.acked >= most

    def _send(self):
        """One try of a request, a new one or the last one again."""
        if self._pending is None:
            # Now and then so many that they go to a segment at once, not into the journal.
            largest = 3_000 if self._rng.random() < 0.03 else self._load.batch
            self._pending = (self.acked, self._rng.randrange(1, largest))
        first, count = self._pending
        body = "\n".join(json.dumps(record(self._load.seed, self._number, seq))
                         for seq in range(first, first + count))
        key = f"{self._load.seed}-{self._number}-{first}-{count}"
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._load.server.port,
                                                          timeout=60)
        self._connection.request("POST", PATH, body, HEADERS | {"Idempotency-Key": key})
        response = self._connection.getresponse()
        answer = response.read()
        if response.status in TRY_AGAIN:
            self.refused += 1
            time.sleep(0.02)
        elif response.status != 200 or json.loads(answer)["accepted"] != count:
            self.failure = f"POST: {response.status} {answer[:300]}"
        else:
            self.acked = first + count
            self._pending = None


class Load:
    """All producers of a run."""

    def __init__(self, server, options):
        self.server, self.seed, self.batch = server, options.seed, options.batch
        self.rate = options.rate
        self._started = time.monotonic()
        self.followed_count = lambda: 0  # How many records the slowest check has seen.
        self.lock = threading.Lock()
        self.paused = False     # Guarded by the lock.
        self.stopped = threading.Event()
        self._producers = [Producer(self, number) for number in range(options.producers)]

    def start(self):
        self._started = time.monotonic()
        for producer in self._producers:
            producer.start()

    def slowest(self):
        return min(producer.acked for producer in self._producers)

    def due(self):
        """How many records each producer should have sent by now. Time without a server counts, so
        that there is a rush after each start; but the checks must be able to follow."""
        followed = self.followed_count() / len(self._producers)
        return min(self.rate / len(self._producers) * (time.monotonic() - self._started),
                   followed + LEAD_MAX)

    def acked(self):
        """For each producer how many records are acknowledged. Raises what a producer saw."""
        for producer in self._producers:
            if producer.failure:
                raise Failure(producer.failure)
        return [producer.acked for producer in self._producers]

    def refused(self):
        return sum(producer.refused for producer in self._producers)

    def pause(self):
        """Returns when every request has its answer; the server must be up."""
        with self.lock:
            self.paused = True

        def all_idle():
            self.acked()
            with self.lock:
                return all(producer.idle for producer in self._producers)

        wait_until(all_idle, 60, "a request got no answer")

    def resume(self):
        with self.lock:
            self.paused = False
            for producer in self._producers:
                producer.idle = False

    def close(self):
        self.stopped.set()
        for producer in self._producers:
            if producer.ident is not None:
                producer.join(timeout=70)

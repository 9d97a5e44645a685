"""Readers of event streams that come back with Last-Event-ID after each end of the server."""

import collections
import http.client
import json
import threading
import time

from server import Failure, wait_until


class Feed(threading.Thread):
    """Reads one event stream over all lives of the server. `take` gets each event, in order."""

    def __init__(self, server, path):
        super().__init__(daemon=True)
        self.failure = None
        self.last_id = ""
        self.connections = 0
        self._server, self._path = server, path
        self._stopped = threading.Event()

    def run(self):
        while not self._stopped.is_set() and self.failure is None:
            try:
                self._read_until_end()
            except Failure as failure:
                self.failure = str(failure)
            except (OSError, ValueError, http.client.HTTPException):
                time.sleep(0.01)

    def _read_until_end(self):
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=5)
        try:
            headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
            connection.request("GET", self._path, headers=headers)
            response = connection.getresponse()
            if response.status != 200:
                raise Failure(f"GET {self._path} from {self.last_id}: {response.status} "
                              f"{response.read()[:300]}")
            self.connections += 1
            self.begin(resumed=bool(self.last_id))
            event = {}
            while not self._stopped.is_set():
                line = response.readline()
                if not line.endswith(b"\n"):
                    return
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    event[name] = value
                elif "data" in event:
                    self.take(event.get("event"), event.get("id"), json.loads(event["data"]))
                    self.last_id = event.get("id", self.last_id)
                    event = {}
                else:
                    event = {}
        finally:
            connection.close()

    def begin(self, resumed):
        """A connection is open; `resumed`: the server was told where the last one ended."""

    def take(self, kind, event_id, data):
        raise NotImplementedError

    def wait_until_complete(self, difference):
        """Waits until `difference()`, what is still wrong with what was read, is empty."""
        def complete():
            if self.failure:
                raise Failure(self.failure)
            return not difference()

        wait_until(complete, 60, difference)

    def close(self):
        self._stopped.set()
        if self.ident is not None:
            self.join(timeout=10)


class StreamFeed(Feed):
    """The changes of `events`: every record once, each producer's in order."""

    def __init__(self, server, producers):
        partitions = len(server.get("/api/v1/streams/events")["partitions"])
        super().__init__(server,
                         "/api/v1/streams/events/changes?from=" + ".".join(["0"] * partitions))
        self.events = 0
        self._next_seq = [0] * producers

    def take(self, kind, event_id, data):
        if kind != "change" or data["weight"] != 1:
            raise Failure(f"event stream of events: {kind} {data}")
        producer, seq = data["row"]["producer"], data["row"]["seq"]
        if seq != self._next_seq[producer]:
            raise Failure(f"event stream of events: producer {producer}: record {seq} where "
                          f"{self._next_seq[producer]} should come, after id {self.last_id}")
        if self.last_id:
            # Control frames take offsets too, so a step may be longer than one record.
            steps = [int(after) - int(before) for before, after
                     in zip(self.last_id.split("."), event_id.split("."))]
            if min(steps) < 0 or max(steps) == 0:
                raise Failure(f"event stream of events: id {event_id} after {self.last_id}")
        self._next_seq[producer] = seq + 1
        self.events += 1

    def difference(self, next_seq):
        """What is still missing of the records below `next_seq`; empty when nothing is."""
        if self._next_seq == next_seq:
            return ""
        return f"event stream of events: records up to {self._next_seq}, expected {next_seq}"


class ViewFeed(Feed):
    """The rows of a view, then its changes: together always the view's rows."""

    def __init__(self, server, view):
        super().__init__(server, f"/api/v1/views/{view}/changes?snapshot=true")
        self._view = view
        self.rebuilt = 0
        self._rows = collections.Counter()

    def begin(self, resumed):
        if not resumed:
            self._rows.clear()

    def take(self, kind, event_id, data):
        if kind in ("snapshot", "change"):
            row = json.dumps(data["row"], sort_keys=True)
            self._rows[row] += data["weight"]
            if self._rows[row] == 0:
                del self._rows[row]
        elif kind == "rebuilt":
            self._rows.clear()
            self.rebuilt += 1
        elif kind != "progress":
            raise Failure(f"event stream of {self._view}: {kind} {data}")

    def difference(self, rows):
        """What is wrong, compared with the view's rows; empty when nothing is."""
        expected = collections.Counter(json.dumps(row, sort_keys=True) for row in rows)
        if self._rows == expected:
            return ""
        return (f"event stream of {self._view}: too much "
                f"{list((self._rows - expected).items())[:2]}, "
                f"missing {list((expected - self._rows).items())[:2]}")

"""Finds lost, doubled and reordered records and wrong results of views.

`Expected` follows the stream record by record and computes with plain dictionaries what each view
must hold; test_checker.py proves that it notices each kind of mistake.
"""

import collections
import operator

import load
from server import Failure

PAGE = 10_000


def window_of(at):
    return at[:17] + "00Z"


class Expected:
    """What the records seen so far amount to. Take them in stream order."""

    def __init__(self, seed, first_seq):
        """`first_seq`: with which record each producer begins. It may grow."""
        self.count = 0
        self.next_seq = []      # For each producer.
        self._first_seq = first_seq
        self.per_key = {}       # key -> (n, total, low, high)
        self.per_minute = {}    # (window start, key) -> (n, total)
        self._seed = seed

    def know_all_producers(self):
        self.next_seq += self._first_seq[len(self.next_seq):]

    def take(self, row):
        producer, seq = row["producer"], row["seq"]
        self.know_all_producers()
        if producer >= len(self.next_seq):
            raise Failure(f"record {row} is of nobody")
        if seq != self.next_seq[producer]:
            kind = "doubled or reordered" if seq < self.next_seq[producer] else "lost or reordered"
            raise Failure(f"producer {producer}: record {min(seq, self.next_seq[producer])} {kind}:"
                          f" {seq} comes where {self.next_seq[producer]} should")
        sent = load.record(self._seed, producer, seq)
        for field in ("key", "value", "note"):
            if row[field] != sent[field]:
                raise Failure(f"record {row} should be {sent}")
        self.next_seq[producer] = seq + 1
        self.count += 1
        key, value = row["key"], row["value"]
        n, total, low, high = self.per_key.get(key, (0, 0, value, value))
        self.per_key[key] = (n + 1, total + value, min(low, value), max(high, value))
        group = (window_of(row["at"]), key)
        n, total = self.per_minute.get(group, (0, 0))
        self.per_minute[group] = (n + 1, total + value)


class Checker:
    """Follows one stream of a server over its restarts, reading only what is new at each look.

    `views`: what stands before the names of the stream's views.
    """

    def __init__(self, server, seed, first_seq, stream="events", views=""):
        self._server, self._seed, self._first_seq = server, seed, first_seq
        self._stream, self._views = stream, views
        self.expected = Expected(seed, first_seq)
        self.position = ""
        self.final_groups = 0

    def check_stream(self, acked=()):
        """`acked`: what was acknowledged before this call, for each producer."""
        while True:
            page = self._server.get(f"/api/v1/streams/{self._stream}/records?limit={PAGE}"
                                    + (f"&from={self.position}" if self.position else ""))
            for item in page["records"]:
                self.expected.take(item["row"])
            self.position = page["next"]
            self.expected.know_all_producers()
            next_seq = self.expected.next_seq
            if len(page["records"]) < PAGE or (acked and all(map(operator.ge, next_seq, acked))):
                break
        for producer, count in enumerate(acked):
            found = next_seq[producer]
            if found < count:
                raise Failure(f"producer {producer}: {count} acknowledged, {found} in the stream")

    def check_per_key(self):
        """Compares the view as of the last check_stream; nothing may have been sent since."""
        compare("per_key", {row["key"]: (row["n"], int(row["total"]), row["low"], row["high"])
                            for row in self._rows_of("per_key")}, self.expected.per_key)

    def has_direct_all(self):
        """Whether the view over the same files without a stream has so many records, or more."""
        rows = self._rows_of("direct_per_key")
        return sum(row["n"] for row in rows) >= self.expected.count

    def check_direct(self, bad_lines):
        compare("direct_per_key",
                {row["key"]: (row["n"], int(row["total"]), row["low"], row["high"])
                 for row in self._rows_of("direct_per_key")}, self.expected.per_key)
        self._check_rows(f"errors${self._stream}_direct", bad_lines)

    def check_per_minute(self):
        compare("per_minute", self._windows_of("per_minute"), self.expected.per_minute)

    def check_per_minute_final(self):
        """Windows that are out must be right, and none may be left out that is before another."""
        expected = self.expected
        final = self._windows_of("per_minute_final")
        compare("per_minute_final", final, {key: expected.per_minute.get(key) for key in final})
        closed = max((window for window, _ in final), default="")
        missing = [group for group in expected.per_minute
                   if group[0] <= closed and group not in final]
        if missing:
            raise Failure(f"view per_minute_final: out up to {closed}, but not {missing[:3]}")
        if len(final) < self.final_groups:
            raise Failure(f"view per_minute_final: {self.final_groups} groups before, {len(final)}")
        self.final_groups = len(final)

    def check_totals(self):
        windows = self.expected.per_minute.values()
        sums = [sum(window[i] for window in windows) for i in (0, 1)]
        compare("totals", {(): (row["groups"], row["n"] or 0, int(row["total"] or 0))
                           for row in self._rows_of("totals", through=True)},
                {(): (len(windows), *sums)})

    def check_joins(self):
        expected = self.expected
        minutes = collections.Counter()
        for (window, _), (n, _) in expected.per_minute.items():
            minutes[window] += n
        compare("shares", {(row["window_start"], row["key"]): (row["n"], row["of_all"])
                           for row in self._rows_of("shares", through=True)},
                {(window, key): (n, minutes[window])
                 for (window, key), (n, _) in expected.per_minute.items()})
        compare("self_pairs", {row["key"]: (row["n"], int(row["total"]))
                               for row in self._rows_of("self_pairs")},
                {key: (n, total) for key, (n, total, _, _) in expected.per_key.items()})
        late = self._server.get("/api/v1/streams/late$self_pairs/records?limit=3")["records"]
        if late:
            raise Failure(f"stream late$self_pairs: {late}")

    def check_views(self):
        self.check_per_key()
        self.check_per_minute()
        self.check_per_minute_final()
        self.check_totals()
        self.check_joins()

    def is_all_final(self):
        """Whether every window is out; only of an input that has ended."""
        return self._windows_of("per_minute_final") == self.expected.per_minute

    def check_errors(self, count):
        """Whether each of so many bad lines has its error row, once."""
        self._check_rows(f"errors${self._stream}", count)
        late = f"late${self._views}per_minute_final"
        rows = self._server.get(f"/api/v1/streams/{late}/records?limit=3")["records"]
        if rows:
            raise Failure(f"stream {late}: {rows}")

    def _check_rows(self, stream, count):
        path = f"/api/v1/streams/{stream}/records?limit={PAGE}"
        found = len(self._server.get(path)["records"])
        if found != count:
            raise Failure(f"stream {stream}: {found} rows instead of {count}")

    def check_again_from_the_start(self):
        """Reads the whole stream once more: what was there before must still be."""
        again = Checker(self._server, self._seed, self._first_seq, self._stream, self._views)
        again.check_stream(self.expected.next_seq)
        if again.expected.next_seq != self.expected.next_seq:
            raise Failure(f"the stream had records up to {self.expected.next_seq}, "
                          f"now {again.expected.next_seq}")

    def _windows_of(self, view):
        return {(row["window_start"], row["key"]): (row["n"], int(row["total"]))
                for row in self._rows_of(view)}

    def _rows_of(self, view, through=False):
        """`through`: the view reads others, and the stream through them."""
        wait_for = ",".join(f"{p}:{offset}" for p, offset in enumerate(self.position.split(".")))
        wait_for = f"{self._stream}/{wait_for}" if through else wait_for
        rows, cursor = [], ""
        while cursor is not None:
            page = self._server.get(f"/api/v1/views/{self._views}{view}?limit={PAGE}"
                                    + f"&wait_for={wait_for}"
                                    + (f"&cursor={cursor}" if cursor else ""))
            rows.extend(page["rows"])
            cursor = page["next_cursor"]
        groups = [(row.get("window_start"), row.get("key")) for row in rows]
        if len(set(groups)) != len(groups):
            raise Failure(f"view {view}: a group has two rows")
        return rows


def compare(view, found, expected):
    if found != expected:
        wrong = [group for group in sorted(set(found) | set(expected))
                 if found.get(group) != expected.get(group)][:3]
        shown = [(group, found.get(group), expected.get(group)) for group in wrong]
        raise Failure(f"view {view}: (group, found, expected) {shown}")

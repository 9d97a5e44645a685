"""Finds lost, doubled and reordered records and wrong results of views.

`Expected` follows the stream record by record and computes with plain dictionaries what each view
must hold; test_checker.py proves that it notices each kind of mistake.
"""

import operator

import load
from server import Failure

PAGE = 10_000


def window_of(at):
    return at[:17] + "00Z"


class Expected:
    """What the records seen so far amount to. Take them in stream order."""

    def __init__(self, seed, producers):
        self.count = 0
        self.next_seq = [0] * producers
        self.per_key = {}       # key -> (n, total, low, high)
        self.per_minute = {}    # (window start, key) -> (n, total)
        self._seed = seed

    def take(self, row):
        producer, seq = row["producer"], row["seq"]
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
    """Follows one server over its restarts, reading only what is new at each look."""

    def __init__(self, server, seed, producers):
        self._server, self._seed, self._producers = server, seed, producers
        self.expected = Expected(seed, producers)
        self.position = ""
        self.final_groups = 0

    def check_stream(self, acked):
        """`acked`: what was acknowledged before this call, for each producer."""
        while True:
            page = self._server.get(f"/api/v1/streams/events/records?limit={PAGE}"
                                    + (f"&from={self.position}" if self.position else ""))
            for item in page["records"]:
                self.expected.take(item["row"])
            self.position = page["next"]
            next_seq = self.expected.next_seq
            if len(page["records"]) < PAGE or all(map(operator.ge, next_seq, acked)):
                break
        for producer, count in enumerate(acked):
            found = next_seq[producer]
            if found < count:
                raise Failure(f"producer {producer}: {count} acknowledged, {found} in the stream")

    def check_views(self):
        """Compares all views as of the last check_stream; nothing may have been sent since."""
        expected = self.expected
        compare("per_key", {row["key"]: (row["n"], int(row["total"]), row["low"], row["high"])
                            for row in self._rows_of("per_key")}, expected.per_key)
        compare("per_minute", self._windows_of("per_minute"), expected.per_minute)
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

    def check_again_from_the_start(self):
        """Reads the whole stream once more: what was there before must still be."""
        again = Checker(self._server, self._seed, self._producers)
        again.check_stream(self.expected.next_seq)
        if again.expected.next_seq != self.expected.next_seq:
            raise Failure(f"the stream had records up to {self.expected.next_seq}, "
                          f"now {again.expected.next_seq}")

    def _windows_of(self, view):
        return {(row["window_start"], row["key"]): (row["n"], int(row["total"]))
                for row in self._rows_of(view)}

    def _rows_of(self, view):
        wait_for = ",".join(f"{p}:{offset}" for p, offset in enumerate(self.position.split(".")))
        rows, cursor = [], ""
        while cursor is not None:
            page = self._server.get(f"/api/v1/views/{view}?limit={PAGE}&wait_for={wait_for}"
                                    + (f"&cursor={cursor}" if cursor else ""))
            rows.extend(page["rows"])
            cursor = page["next_cursor"]
        groups = [(row.get("window_start"), row["key"]) for row in rows]
        if len(set(groups)) != len(groups):
            raise Failure(f"view {view}: a group has two rows")
        return rows


def compare(view, found, expected):
    if found != expected:
        wrong = [group for group in sorted(set(found) | set(expected))
                 if found.get(group) != expected.get(group)][:3]
        shown = [(group, found.get(group), expected.get(group)) for group in wrong]
        raise Failure(f"view {view}: (group, found, expected) {shown}")

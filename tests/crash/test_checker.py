"""Proves the checker: each kind of mistake, made on purpose, must be found."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import load  # noqa: E402
from checker import Checker  # noqa: E402
from feeds import StreamFeed, ViewFeed  # noqa: E402
from server import Failure  # noqa: E402

SEED = 7


def honest_rows(counts=(60, 40)):
    """What a server without mistakes would have: two producers, in turns."""
    return [load.record(SEED, producer, seq)
            for seq in range(max(counts)) for producer, count in enumerate(counts) if seq < count]


class FakeServer:
    """Answers as a server would that holds `rows`, with views that `spoil` may change."""

    def __init__(self, rows, spoil=lambda views: None):
        self._rows = rows
        self.other_streams = {}
        per_key, per_minute = {}, {}
        for row in rows:
            group = per_key.setdefault(row["key"], [])
            group.append(row["value"])
            minute = row["at"][:17] + "00Z"
            per_minute.setdefault((minute, row["key"]), []).append(row["value"])
        windows = [{"window_start": minute, "key": key, "n": len(values), "total": sum(values)}
                   for (minute, key), values in sorted(per_minute.items())]
        closed = windows[len(windows) // 2]["window_start"]
        self.views = {
            "per_key": [{"key": key, "n": len(values), "total": sum(values),
                         "low": min(values), "high": max(values)}
                        for key, values in per_key.items()],
            "per_minute": windows,
            "per_minute_final": [dict(row) for row in windows if row["window_start"] <= closed]}
        self.views["totals"] = [{"groups": len(windows), "n": len(rows),
                                 "total": sum(row["value"] for row in rows)}]
        self.views["shares"] = [
            {"window_start": row["window_start"], "key": row["key"], "n": row["n"],
             "of_all": sum(other["n"] for other in windows
                           if other["window_start"] == row["window_start"])} for row in windows]
        self.views["self_pairs"] = [{"key": key, "n": len(values), "total": sum(values)}
                                    for key, values in per_key.items()]
        spoil(self.views)

    def get(self, path):
        resource, _, query = path.partition("?")
        stream = resource.removesuffix("/records").rsplit("/", 1)[1]
        if resource.endswith("/records") and "$" in stream:
            return {"records": self.other_streams.get(stream, [])}
        if resource.endswith("/records"):
            first = int(dict(part.split("=") for part in query.split("&")).get("from", 0))
            return {"records": [{"row": row} for row in self._rows[first:]],
                    "next": str(len(self._rows))}
        if resource == "/api/v1/streams/events":
            return {"partitions": [{"end": 0}, {"end": 0}]}
        return {"rows": self.views[resource.rsplit("/", 1)[1]], "next_cursor": None}


def check(server, acked=(60, 40)):
    checker = Checker(server, SEED, [0, 0])
    checker.check_stream(acked)
    checker.check_views()
    return checker


class StreamTest(unittest.TestCase):
    def expect(self, rows, message):
        with self.assertRaisesRegex(Failure, message):
            check(FakeServer(rows))

    def test_passes_what_is_right(self):
        self.assertEqual(check(FakeServer(honest_rows())).expected.count, 100)

    def test_passes_records_without_an_acknowledgement(self):
        check(FakeServer(honest_rows()), acked=(50, 39))

    def test_finds_a_doubled_record(self):
        rows = honest_rows()
        self.expect(rows[:20] + rows[18:], "doubled")

    def test_finds_a_lost_record(self):
        rows = honest_rows()
        self.expect(rows[:20] + rows[21:], "lost")

    def test_finds_a_lost_end(self):
        self.expect(honest_rows()[:-1], "60 acknowledged, 59 in the stream")

    def test_finds_two_records_that_changed_places(self):
        rows = honest_rows()
        rows[20], rows[22] = rows[22], rows[20]
        self.expect(rows, "reordered")

    def test_finds_a_changed_record(self):
        for field, value in (("value", 5000), ("key", "other"), ("note", "")):
            rows = honest_rows()
            rows[30] = rows[30] | {field: value}
            self.expect(rows, "should be")

    def test_finds_what_vanishes_later(self):
        checker = check(FakeServer(honest_rows()))
        checker._server = FakeServer(honest_rows()[:-1])
        with self.assertRaisesRegex(Failure, "60 acknowledged, 59"):
            checker.check_again_from_the_start()


class ViewTest(unittest.TestCase):
    def expect(self, spoil, message):
        with self.assertRaisesRegex(Failure, message):
            check(FakeServer(honest_rows(), spoil))

    def test_finds_a_group_counted_twice(self):
        def spoil(views):
            views["per_key"][3]["n"] += 1
        self.expect(spoil, "view per_key")

    def test_finds_a_wrong_smallest_value(self):
        def spoil(views):
            views["per_key"][3]["low"] -= 1
        self.expect(spoil, "view per_key")

    def test_finds_a_wrong_window(self):
        def spoil(views):
            views["per_minute"][5]["total"] += 1
        self.expect(spoil, "view per_minute")

    def test_finds_a_lost_group(self):
        self.expect(lambda views: views["per_minute"].pop(), "view per_minute")

    def test_finds_a_group_in_two_rows(self):
        self.expect(lambda views: views["per_key"].append(views["per_key"][0]), "two rows")

    def test_finds_a_final_window_that_was_left_out(self):
        self.expect(lambda views: views["per_minute_final"].pop(0), "per_minute_final: out up to")

    def test_finds_a_final_window_that_was_out_too_early(self):
        def spoil(views):
            views["per_minute_final"][0]["n"] -= 1
        self.expect(spoil, "view per_minute_final")

    def test_finds_final_windows_that_vanish(self):
        checker = check(FakeServer(honest_rows()))
        checker._server.views["per_minute_final"].clear()
        with self.assertRaisesRegex(Failure, "groups before, 0"):
            checker.check_views()


    def test_finds_wrong_totals(self):
        def spoil(views):
            views["totals"][0]["n"] -= 1
        self.expect(spoil, "view totals")

    def test_finds_a_pair_that_a_join_lost(self):
        self.expect(lambda views: views["shares"].pop(), "view shares")

    def test_finds_a_record_that_met_itself_twice(self):
        def spoil(views):
            views["self_pairs"][0]["n"] += 1
        self.expect(spoil, "view self_pairs")

    def test_finds_a_record_that_came_late_to_a_join(self):
        server = FakeServer(honest_rows())
        server.other_streams["late$self_pairs"] = [{"row": {}}]
        with self.assertRaisesRegex(Failure, r"late\$self_pairs"):
            check(server)


class FilesTest(unittest.TestCase):
    """What is checked of input from files, besides."""

    def test_knows_files_that_begin_later(self):
        first_seq = [0]
        checker = Checker(FakeServer([load.record(SEED, 0, 0)]), SEED, first_seq)
        checker.check_stream()
        first_seq.append(1)
        checker._server = FakeServer([load.record(SEED, 0, 0), load.record(SEED, 1, 1)])
        checker.check_stream()
        self.assertEqual(checker.expected.next_seq, [1, 2])

    def test_finds_a_line_that_nobody_wrote(self):
        with self.assertRaisesRegex(Failure, "of nobody"):
            Checker(FakeServer(honest_rows()), SEED, [0]).check_stream()

    def test_finds_a_file_without_its_beginning(self):
        with self.assertRaisesRegex(Failure, "record 0 lost"):
            Checker(FakeServer(honest_rows()[2:]), SEED, [0, 0]).check_stream()

    def test_finds_lost_and_doubled_error_rows(self):
        server = FakeServer(honest_rows())
        checker = Checker(server, SEED, [0, 0])
        server.other_streams["errors$events"] = [{"row": {}}] * 2
        checker.check_errors(2)
        for expected in (1, 3):
            with self.assertRaisesRegex(Failure, r"errors\$events: 2 rows instead"):
                checker.check_errors(expected)

    def test_finds_late_rows(self):
        server = FakeServer(honest_rows())
        server.other_streams["late$per_minute_final"] = [{"row": {}}]
        with self.assertRaisesRegex(Failure, r"late\$per_minute_final"):
            Checker(server, SEED, [0, 0]).check_errors(0)

    def test_finds_windows_that_are_not_out_at_the_end(self):
        server = FakeServer(honest_rows())
        checker = Checker(server, SEED, [0, 0])
        checker.check_stream()
        server.views["per_minute_final"] = list(server.views["per_minute"])
        self.assertTrue(checker.is_all_final())
        server.views["per_minute_final"].pop()
        self.assertFalse(checker.is_all_final())


class FeedTest(unittest.TestCase):
    def feed(self):
        feed = StreamFeed(FakeServer(honest_rows()), 2)
        rows = honest_rows()
        for at in range(4):
            self.take(feed, rows[at], f"{at // 2 + 1}.{(at + 1) // 2}")
        return feed, rows

    @staticmethod
    def take(feed, row, event_id):
        feed.take("change", event_id, {"weight": 1, "row": row})
        feed.last_id = event_id

    def test_finds_a_gap(self):
        feed, rows = self.feed()
        with self.assertRaisesRegex(Failure, "record 3 where 2 should"):
            self.take(feed, rows[6], "3.2")

    def test_finds_a_repeat(self):
        feed, rows = self.feed()
        with self.assertRaisesRegex(Failure, "record 1 where 2 should"):
            self.take(feed, rows[2], "3.2")

    def test_finds_an_id_that_goes_back(self):
        feed, rows = self.feed()
        with self.assertRaisesRegex(Failure, "id 1.3 after 2.2"):
            self.take(feed, rows[4], "1.3")

    def test_finds_an_end_that_is_missing(self):
        feed, _ = self.feed()
        self.assertEqual(feed.difference([2, 2]), "")
        self.assertIn("expected [3, 2]", feed.difference([3, 2]))

    def test_finds_a_gap_event(self):
        feed, _ = self.feed()
        with self.assertRaisesRegex(Failure, "gap"):
            feed.take("gap", "9.9", {"from": 4})

    def test_finds_changes_that_do_not_add_up(self):
        feed = ViewFeed(FakeServer(honest_rows()), "per_key")
        feed.take("snapshot", "", {"weight": 1, "row": {"key": "a", "n": 1}})
        feed.take("change", "1", {"weight": -1, "row": {"key": "a", "n": 1}})
        feed.take("change", "2", {"weight": 1, "row": {"key": "a", "n": 2}})
        self.assertEqual(feed.difference([{"n": 2, "key": "a"}]), "")
        self.assertIn("missing", feed.difference([{"n": 3, "key": "a"}]))
        feed.take("change", "3", {"weight": 1, "row": {"key": "a", "n": 2}})
        self.assertIn("too much", feed.difference([{"n": 2, "key": "a"}]))


if __name__ == "__main__":
    unittest.main()

"""Planted violations for tools/check_layers.py."""

import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from planted import project  # noqa: E402


def run(files, layers=None):
    with project() as p:
        for path, text in files.items():
            p.write(path, text)
        if layers is not None:
            file = p.root / "tools/layers.toml"
            text = re.sub(r"^\[sideways\]$", "[sideways]\n" + layers, file.read_text(), flags=re.M)
            file.write_text(text)
        return p.run("check_layers")


class Layers(unittest.TestCase):
    def assert_only(self, result, *parts):
        self.assertEqual(1, len(result), result)
        for part in parts:
            self.assertIn(part, result[0])

    def assert_clean(self, result):
        self.assertEqual([], result)

    def test_left_is_allowed(self):
        self.assert_clean(run({
            "src/millrace/base/a.h": "#include <vector>\n#include <sys/stat.h>\n",
            "src/millrace/serve/routes/b.cc": '#include "millrace/base/a.h"\n',
            "include/millrace/topology.h": "#include <string>\n",
            "src/millrace/topology/c.cc": '#include "millrace/topology.h"\n',
        }))

    def test_right_is_not(self):
        self.assert_only(run({
            "src/millrace/base/a.cc": '\n#include "millrace/data/b.h"\n',
            "src/millrace/data/b.h": "",
        }), "src/millrace/base/a.cc:2:", "base/ is left of data/")

    def test_public_headers_stand_alone(self):
        self.assert_only(run({
            "include/millrace/topology.h": '#include "millrace/base/a.h"\n',
            "src/millrace/base/a.h": "",
        }), "include/millrace/topology.h:1:", "api/ is left of base/")

    def test_sideways_only_where_listed(self):
        files = {
            "src/millrace/state/a.cc": '#include "millrace/stream/b.h"\n',
            "src/millrace/stream/b.h": "",
        }
        self.assert_only(run(files), "in one layer", "state/ and stream/")
        self.assert_clean(run(files, 'state = ["stream"]'))

    def test_sideways_cycle(self):
        self.assert_only(run({}, 'state = ["stream"]\nstream = ["state"]'), "form a cycle")

    def test_sideways_across_groups(self):
        self.assert_only(run({}, 'base = ["data"]'), "not within one group")

    def test_include_cycle(self):
        self.assert_only(run({
            "src/millrace/base/a.h": '#include "millrace/base/b.h"\n',
            "src/millrace/base/b.h": '#include "millrace/base/c.h"\n',
            "src/millrace/base/c.h": '#include "millrace/base/a.h"\n',
        }), "include cycle", "base/a.h -> src/millrace/base/b.h -> src/millrace/base/c.h")

    def test_unknown_folder(self):
        self.assert_only(run({"src/millrace/misc/a.h": ""}), "misc/ is in no group")

    def test_missing_and_relative(self):
        self.assert_only(run({"src/millrace/base/a.cc": '#include "millrace/base/no.h"\n'}),
                         'there is no "millrace/base/no.h"')
        self.assert_only(run({"src/millrace/base/a.cc": '#include "b.h"\n'}),
                         'write "millrace/..."')

    def test_vendor_out_of_place(self):
        self.assert_only(run({"src/millrace/engine/a.cc": "#include <rocksdb/db.h>\n"}),
                         "engine/a.cc:1:", "belongs to RocksDB, which only state/spill/")
        self.assert_clean(run({"src/millrace/state/spill/a.cc": "#include <rocksdb/db.h>\n"}))

    def test_unknown_vendor(self):
        self.assert_only(run({"src/millrace/engine/a.cc": "#include <foo/bar.h>\n"}),
                         "no library that tools/layers.toml knows")
        self.assert_only(run({"src/millrace/engine/a.cc": "#include <string.h>\n"}), "<c...>")

    def test_test_libraries(self):
        self.assert_clean(run({"src/millrace/engine/a_test.cc": "#include <gtest/gtest.h>\n"}))
        self.assert_only(run({"src/millrace/engine/a.cc": "#include <gtest/gtest.h>\n"}),
                         "only test files")

    def test_comments_do_not_count(self):
        self.assert_clean(run({
            "src/millrace/base/a.cc": '// #include "millrace/app/x.h"\n/*\n#include "y.h"\n*/\n',
        }))


if __name__ == "__main__":
    unittest.main()

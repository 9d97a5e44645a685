"""Tests of tools/check_docs.py."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import check_docs  # noqa: E402


class LinkTest(unittest.TestCase):
    def errors(self, text, other="# Some *Words* and `code`\n"):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory).resolve()
            (root / "docs").mkdir()
            (root / "docs" / "other.md").write_text(other, "utf-8")
            file = root / "README.md"
            file.write_text(text, "utf-8")
            return list(check_docs.link_errors(root, [file]))

    def test_good_links(self):
        self.assertEqual(self.errors(
            "# Top\n[a](docs/other.md) [b](docs) [c](https://x.example/y) [d](#top)\n"
            "[e](docs/other.md#some-words-and-code)\n"), [])

    def test_missing_file(self):
        self.assertEqual(self.errors("one\n[a](docs/none.md)\n"),
                         ["README.md:2: no file docs/none.md"])

    def test_missing_heading(self):
        self.assertEqual(self.errors("[a](docs/other.md#nothing)\n"),
                         ["README.md:1: no heading for docs/other.md#nothing"])
        self.assertEqual(self.errors("[a](#nothing)\n"), ["README.md:1: no heading for #nothing"])

    def test_code_is_no_link(self):
        self.assertEqual(self.errors("```\n[a](none.md)\n```\nand `[b](none.md)`\n"), [])


class ReferenceTest(unittest.TestCase):
    def test_writes_and_compares(self):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            binary = root / "program"
            binary.write_text("#!/bin/sh\necho \"page $2\"\n", "utf-8")
            binary.chmod(0o755)
            self.assertEqual(len(list(check_docs.reference_errors(root, binary, False))), 4)
            self.assertEqual(list(check_docs.reference_errors(root, binary, True)), [])
            self.assertEqual(list(check_docs.reference_errors(root, binary, False)), [])
            (root / "docs" / "reference" / "errors.md").write_text("old\n", "utf-8")
            self.assertEqual(len(list(check_docs.reference_errors(root, binary, False))), 1)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""Fails on documents that say what is no longer so.

- A relative link of a Markdown file leads to a file, and its anchor to a heading there.
- docs/reference/*.md are what the program prints from its own tables. Needs a built program: the
  first of the presets' that is there, or --binary. --write brings them up to date.
"""

import argparse
import pathlib
import re
import subprocess
import sys

PAGES = ("cli", "configuration", "errors", "metrics")
BINARIES = ("build/release/millrace", "build/dev/millrace", "build/asan/millrace")

_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+(?:\([^()\s]*\))?)(?:\s+\"[^\"]*\")?\)")
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)


def anchor_of(heading):
    """The anchor that GitHub gives a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors_of(path):
    return {anchor_of(m) for m in _HEADING.findall(_FENCE.sub("", path.read_text("utf-8")))}


def link_errors(root, files):
    """Yields one line per link of `files` that leads nowhere."""
    for file in files:
        text = _FENCE.sub(lambda m: "\n" * m.group().count("\n"), file.read_text("utf-8"))
        for number, line in enumerate(text.splitlines(), 1):
            for target in _LINK.findall(_CODE.sub("", line)):
                where = f"{file.relative_to(root)}:{number}"
                if re.match(r"[a-z][a-z0-9+.-]*:", target):
                    continue
                name, _, anchor = target.partition("#")
                goal = (file.parent / name).resolve() if name else file
                if not goal.exists():
                    yield f"{where}: no file {target}"
                elif anchor and goal.suffix == ".md" and anchor not in anchors_of(goal):
                    yield f"{where}: no heading for {target}"


def tracked_documents(root):
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard",
                             "--", "*.md"], cwd=root, check=True, capture_output=True)
    names = [name for name in listed.stdout.decode().split("\0") if name]
    return [root / name for name in names if (root / name).exists()]


def reference_errors(root, binary, write):
    """Compares the generated pages with the program's; yields one line per difference."""
    for page in PAGES:
        program = subprocess.run([binary, "reference", page], capture_output=True)
        if program.returncode != 0:
            yield f"docs/reference/{page}.md: {binary} does not print it; build it again"
            continue
        printed = program.stdout
        path = root / "docs" / "reference" / f"{page}.md"
        if write:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(printed)
        elif not path.exists() or path.read_bytes() != printed:
            yield (f"docs/reference/{page}.md: differs from the program's tables; "
                   f"run tools/check_docs.py --write")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", help="the program whose tables count")
    parser.add_argument("--write", action="store_true", help="bring docs/reference up to date")
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent)
    arguments = parser.parse_args()
    root = arguments.root.resolve()
    binary = arguments.binary or next(
        (str(root / name) for name in BINARIES if (root / name).exists()), None)
    errors = []
    if binary is None:
        print("check_docs: no program is built, so docs/reference is not compared")
    else:
        errors += reference_errors(root, binary, arguments.write)
    documents = tracked_documents(root)
    errors += link_errors(root, documents)
    for error in errors:
        print(error)
    print(f"check_docs: {len(documents)} documents, {len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())

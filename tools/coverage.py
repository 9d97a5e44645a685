#!/usr/bin/env python3
"""Runs the tests of the preset coverage and prints line coverage by folder of src/millrace.

With COVERAGE_ENFORCE=1 it fails below the thresholds.
"""

import collections
import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cpp_text  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/coverage"
PROFILES = BUILD / "profiles"
OVERALL = 90.0
FOLDERS = {"stream": 95.0, "state": 95.0}


def run_tests():
    shutil.rmtree(PROFILES, ignore_errors=True)
    PROFILES.mkdir(parents=True)
    # %4m: the processes of one program share four files, which they merge into.
    env = dict(os.environ, LLVM_PROFILE_FILE=str(PROFILES / "%4m.profraw"))
    return subprocess.run(["ctest", "--preset", "coverage"], cwd=ROOT, env=env).returncode


def programs():
    """Every program that was built: the tests, the corpus replays and millrace itself."""
    found = list(BUILD.glob("fuzzers/*")) + list(BUILD.rglob("millrace_*_test"))
    found.append(BUILD / "millrace")
    return sorted(p for p in found if p.is_file() and os.access(p, os.X_OK))


def export():
    """(covered, lines) of each source below src/millrace."""
    merged = BUILD / "all.profdata"
    subprocess.run(["llvm-profdata-19", "merge", "--sparse", "-o", merged,
                    *PROFILES.glob("*.profraw")], check=True)
    objects = [f"--object={p}" for p in programs()]
    out = subprocess.run(["llvm-cov-19", "export", "--summary-only",
                          f"--instr-profile={merged}", *objects],
                         check=True, capture_output=True).stdout
    result = {}
    for entry in json.loads(out)["data"][0]["files"]:
        path = os.path.relpath(entry["filename"], ROOT)
        if path.startswith("src/millrace/") and not cpp_text.is_test(path):
            lines = entry["summary"]["lines"]
            result[path] = (lines["covered"], lines["count"])
    return result


def add_unlinked(files):
    """Sources that no program contains count as not covered at all."""
    for path in cpp_text.tracked_files(ROOT):
        if path.startswith("src/millrace/") and path.endswith(".cc") and path not in files \
                and not cpp_text.is_test(path):
            code = cpp_text.load(ROOT, path).code
            files[path] = (0, sum(1 for line in code.splitlines() if line.strip()))
            print(f"in no test program: {path}")


def percent(covered, lines):
    return 100.0 * covered / lines if lines else 100.0


def report(files):
    folders = collections.defaultdict(lambda: [0, 0])
    for path, (covered, lines) in files.items():
        for key in (path.split("/")[2], "overall"):
            folders[key][0] += covered
            folders[key][1] += lines
    below = []
    print(f"{'folder':<12} {'lines':>7} {'covered':>8}")
    for folder in sorted(folders, key=lambda f: (f == "overall", f)):
        covered, lines = folders[folder]
        share = percent(covered, lines)
        threshold = OVERALL if folder == "overall" else FOLDERS.get(folder, 0.0)
        note = ""
        if share < threshold:
            note = f"  below {threshold:.0f} %"
            below.append(folder)
        print(f"{folder:<12} {lines:>7} {share:>7.1f}%{note}")
    worst = sorted(files, key=lambda p: files[p][0] - files[p][1])[:10]
    print("most lines not covered:")
    for path in worst:
        covered, lines = files[path]
        if covered < lines:
            print(f"  {lines - covered:>5} of {lines:>5}  {path}")
    return below


def main():
    if run_tests() != 0:
        print("coverage: tests failed")
        return 1
    files = export()
    add_unlinked(files)
    below = report(files)
    if below and os.environ.get("COVERAGE_ENFORCE") == "1":
        print("coverage: below the threshold: " + ", ".join(below))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

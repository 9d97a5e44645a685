#!/usr/bin/env python3
"""Random queries over random rows, answered by Millrace in every way and by PostgreSQL.

    random_queries.py --golden build/release/tests/sql/millrace_sql_golden_test [--queries N]

Half of the queries try expressions (random_expressions.py), half joins, aggregations and views over
views (random_relations.py). They are golden files in a folder: the golden runner fills in what
Millrace answers, which also compares the views with batch queries; then it runs the files in all of
its modes, and PostgreSQL answers them as in against_postgres.py. One seed makes one file. Exits 1
on a difference and keeps the folder then.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import against_postgres
import random_expressions
import random_relations

GENERATORS = {"expressions": random_expressions, "relations": random_relations}


def run_golden(golden, folder, **more):
    environment = dict(os.environ, MILLRACE_GOLDEN_DIR=str(folder), **more)
    run = subprocess.run([golden, "--gtest_brief=1"], env=environment, capture_output=True,
                         text=True, check=False)
    if run.returncode != 0:
        print(run.stdout[-8000:], run.stderr[-2000:])
        print(f"the golden runner fails; the files are in {folder}")
    return run.returncode == 0


def compare(folder):
    """How many of the files' answers PostgreSQL does not give."""
    psql = against_postgres.Psql()
    counts = [0, 0, 0]
    for path in sorted(folder.glob("*.test")):
        compared, left_out, differences = against_postgres.check(path, psql)
        counts = [counts[0] + compared, counts[1] + left_out, counts[2] + len(differences)]
        for difference in differences:
            print(difference)
    psql.close()
    print(f"{counts[0]} answers compared with PostgreSQL, {counts[1]} left out, {counts[2]} differ")
    return counts[2]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--golden", required=True, help="the golden runner")
    parser.add_argument("--queries", type=int, default=200, help="at least so many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=GENERATORS, help="only these")
    parser.add_argument("--without-postgres", action="store_true",
                        help="only compare Millrace with itself")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-random-queries-"))
    kinds = [options.kind] if options.kind else list(GENERATORS)
    queries, seed = 0, options.seed
    while queries < options.queries:
        kind = kinds[seed % len(kinds)]
        text, count = GENERATORS[kind].file(seed)
        (folder / f"{kind}{seed}.test").write_text(text)
        queries, seed = queries + count, seed + 1
    print(f"{queries} queries in {seed - options.seed} files, seeds {options.seed} to {seed - 1}")
    right = (run_golden(options.golden, folder, MILLRACE_GOLDEN_REWRITE="1")
             and run_golden(options.golden, folder)
             and (options.without_postgres or compare(folder) == 0))
    if right:
        shutil.rmtree(folder)
    else:
        print(f"the files are in {folder}")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())

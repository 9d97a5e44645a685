#!/usr/bin/env python3
"""Random queries over random rows, answered by Millrace and by PostgreSQL.

    random_queries.py --golden build/release/tests/sql/millrace_sql_golden_test [--files N]

Writes golden files into a folder, lets the golden runner fill in what Millrace answers, and
compares that with PostgreSQL as against_postgres.py does. One seed makes one file. Exits 1 on a
difference and keeps the folder then.
"""

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import against_postgres

COLUMNS = {"int": ["i", "k"], "bigint": ["l"], "numeric": ["n"], "double": ["d"],
           "boolean": ["b"], "text": ["t", "u"], "timestamptz": ["at"], "date": ["day"],
           "interval": ["span"], "jsonb": ["j"]}
TABLE = """CREATE TABLE r (id int, i int, k int, l bigint, n numeric(8,2), d double precision,
                b boolean, t text, u text, at timestamptz, day date, span interval, j jsonb)
  WITH (partitions = 1);"""
ROWS = 25
VIEWS = 12


class Generator:
    def __init__(self, seed):
        self.rng = random.Random(seed)

    def pick(self, *choices):
        return self.rng.choice(choices)

    def literal(self, kind):
        rng = self.rng
        return {
            "int": lambda: str(self.pick(0, 1, 2, 3, 7, 10, 100, 2147483647)),
            "bigint": lambda: f"{self.pick(0, 5, 10**10, 9223372036854775807)}::bigint",
            "numeric": lambda: self.pick("0.5", "1.25", "3.00", "99999.99", "0.01"),
            "double": lambda: f"{self.pick('0.5', '2', '1e10', '-0.25')}::double precision",
            "boolean": lambda: self.pick("true", "false"),
            "text": lambda: "'" + self.pick("", "a", "ab", "Abc", "b%", "x y") + "'",
            "timestamptz": lambda: "timestamptz '2024-0%d-15T12:30:45.5Z'" % rng.randint(1, 9),
            "date": lambda: "date '2024-0%d-29'" % rng.randint(1, 9),
            "interval": lambda: "interval '%s'" % self.pick(
                "1 day", "2 hours", "1 month", "-3 days",
                                                            "36 hours", "30 days"),
            "jsonb": lambda: "'" + self.pick('{"a":1}', "[1,2]", "null", '"s"') + "'::jsonb",
        }[kind]()

    def expression(self, kind, depth):
        if depth <= 0 or self.rng.random() < 0.2:
            return self.pick(*COLUMNS[kind]) if self.rng.random() < 0.75 else self.literal(kind)
        make = self.rng.choice([self.general, getattr(self, kind)])
        return make(kind, depth - 1)

    def general(self, kind, depth):
        def same():
            return self.expression(kind, depth)
        choices = [
            lambda: f"CASE WHEN {self.expression('boolean', depth)} THEN {same()}"
                    f" ELSE {same()} END",
            lambda: f"coalesce({same()}, {same()})",
        ]
        if kind != "jsonb":
            choices.append(lambda: f"nullif({same()}, {same()})")
        if kind not in ("jsonb", "boolean", "interval"):
            choices.append(lambda: f"{self.pick('greatest', 'least')}({same()}, {same()})")
        return self.rng.choice(choices)()

    def number(self, kind, depth, operators):
        return f"({self.expression(kind, depth)} {self.pick(*operators)} " \
               f"{self.expression(kind, depth)})"

    def int(self, kind, depth):
        return self.pick(
            self.number(kind, depth, "+-*/%"),
            f"length({self.expression('text', depth)})",
            f"abs({self.expression('int', depth)})",
            f"strpos({self.expression('text', depth)}, {self.expression('text', 0)})",
            f"({self.expression('date', depth)} - {self.expression('date', depth)})",
            f"extract({self.pick('year', 'month', 'day', 'hour', 'dow', 'week', 'doy')} FROM"
            f" {self.expression('timestamptz', depth)})::int",
            f"({self.expression('jsonb', depth)} ->> 'a')::int",
            f"{self.expression('numeric', depth)}::int")

    def bigint(self, kind, depth):
        return self.pick(self.number(kind, depth, "+-*/%"),
                         f"({self.expression('int', depth)})::bigint")

    def numeric(self, kind, depth):
        return self.pick(self.number(kind, depth, "+-*"),
                         f"round({self.expression(kind, depth)}, {self.rng.randint(0, 2)})",
                         f"{self.pick('ceil', 'floor', 'abs')}({self.expression(kind, depth)})",
                         f"({self.expression('int', depth)})::numeric")

    def double(self, kind, depth):
        return self.pick(self.number(kind, depth, "+-*/"),
                         f"({self.expression('int', depth)})::double precision",
                         f"round({self.expression(kind, depth)})")

    def boolean(self, kind, depth):
        other = self.pick(*[k for k in COLUMNS if k != "jsonb"])
        left, right = self.expression(other, depth), self.expression(other, depth)
        return self.pick(
            f"({left} {self.pick('=', '<>', '<', '<=', '>', '>=')} {right})",
            f"({left} IS {self.pick('', 'NOT ')}DISTINCT FROM {right})",
            f"({left} IS {self.pick('', 'NOT ')}NULL)",
            f"({left} {self.pick('', 'NOT ')}IN ({right}, {self.literal(other)}))",
            f"({left} {self.pick('', 'NOT ')}BETWEEN {right} AND {self.literal(other)})",
            f"({self.expression(kind, depth)} {self.pick('AND', 'OR')}"
            f" {self.expression(kind, depth)})",
            f"(NOT {self.expression(kind, depth)})",
            f"({self.expression(kind, depth)} IS {self.pick('TRUE', 'NOT FALSE', 'UNKNOWN')})",
            f"({self.expression('text', depth)} {self.pick('LIKE', 'NOT LIKE', 'ILIKE')}"
            f" '{self.pick('a%', '%b', '_', '%', '', 'A_c')}')")

    def text(self, kind, depth):
        text = self.expression(kind, depth)
        return self.pick(
            f"({text} || {self.expression(self.pick('text', 'int', 'date'), depth)})",
            f"{self.pick('upper', 'lower', 'trim', 'ltrim', 'reverse')}({text})",
            f"{self.pick('left', 'right')}({text}, {self.rng.randint(-2, 3)})",
            f"substring({text}, {self.rng.randint(-1, 3)}, {self.rng.randint(0, 3)})",
            f"replace({text}, 'a', 'bb')",
            f"split_part({text}, 'b', {self.pick(1, 2, -1)})",
            f"({self.expression('jsonb', depth)} ->> 'a')",
            f"({self.expression(self.pick('int', 'numeric', 'boolean', 'interval'), depth)})::text")

    def timestamptz(self, kind, depth):
        at = self.expression(kind, depth)
        return self.pick(
            f"({at} {self.pick('+', '-')} {self.expression('interval', depth)})",
            f"date_trunc('{self.pick('hour', 'day', 'week', 'month', 'quarter', 'year')}', {at})",
            f"({self.expression('date', depth)})::timestamptz")

    def date(self, kind, depth):
        return self.pick(f"({self.expression(kind, depth)} + {self.rng.randint(-40, 40)})",
                         f"({self.expression('timestamptz', depth)})::date")

    def interval(self, kind, depth):
        return self.pick(
            self.number(kind, depth, "+-"),
            f"({self.expression('timestamptz', depth)} - {self.expression('timestamptz', depth)})",
            f"(- {self.expression(kind, depth)})")

    def jsonb(self, kind, depth):
        return self.pick(f"({self.expression(kind, depth)} -> 'a')",
                         f"({self.expression(kind, depth)} -> {self.pick(0, 1, -1)})",
                         f"({self.expression(kind, depth)} #> '{{a,b}}')")

    def record(self, number):
        rng = self.rng
        values = {
            "i": lambda: self.pick(0, 1, -1, 2, 7, -7, 100, 2147483647, -2147483648),
            "k": lambda: rng.randint(-3, 3),
            "l": lambda: self.pick(0, 1, -5, 10**12, 9223372036854775807),
            "n": lambda: self.pick(0, 1.5, -2.25, 99.99, 999999.99, 0.01),
            "d": lambda: self.pick(0, 0.5, -2.5, 1e100, 3, "NaN", "Infinity", "-Infinity"),
            "b": lambda: self.pick(True, False),
            "t": lambda: self.pick("", "a", "ab", "abc", "Abc", " x ", "b%", "aab"),
            "u": lambda: self.pick("", "b", "ba", "x y", "a"),
            "at": lambda: self.pick("2024-02-29T13:45:30.25Z", "2023-12-31T23:59:59Z",
                                    "1969-07-20T20:17:40Z", "2024-01-31T00:00:00Z"),
            "day": lambda: self.pick("2024-02-29", "2023-12-31", "1969-07-20", "2024-03-31"),
            "span": lambda: self.pick("1 day", "1 month", "-2 hours", "1 year 2 days", "30 days",
                                      "00:00:00.5"),
            "j": lambda: self.pick({"a": 1}, {"a": {"b": 2}}, [1, "x"], [], {"a": "5"},
                                   {"a": None}),
        }
        record = {"id": number}
        for name, value in values.items():
            if rng.random() < 0.85:
                record[name] = value()
        return json.dumps(record)

    def view(self, name):
        kinds = [kind for kind in COLUMNS if kind != "jsonb"]
        kind = self.pick(*COLUMNS)
        where = f" WHERE {self.expression('boolean', 2)}" if self.rng.random() < 0.4 else ""
        if self.rng.random() < 0.6:
            select = f"id, {self.expression(kind, 3)} AS x"
            return f"CREATE MATERIALIZED VIEW {name} AS SELECT {select} FROM r{where};"
        key = self.expression(self.pick("int", "text", "boolean", "date", "interval"), 1)
        numbers = ["int", "bigint", "numeric"]
        ordered = [k for k in kinds if k != "boolean"]
        select = [f"{key} AS k", "count(*) AS c"]
        select.append(f"count({self.expression(kind, 1)}) AS n")
        select.append(f"{self.pick('sum', 'avg')}({self.expression(self.pick(*numbers), 1)}) AS s")
        select.append(f"{self.pick('min', 'max')}({self.expression(self.pick(*ordered), 1)}) AS m")
        return (f"CREATE MATERIALIZED VIEW {name} AS SELECT {', '.join(select)} FROM r{where}"
                f" GROUP BY 1;")

    def file(self):
        views = [self.view(f"v{i}") for i in range(VIEWS)]
        blocks = ["statement ok\n" + "\n".join([TABLE, *views]),
                  "append r\n" + "\n".join(self.record(i) for i in range(ROWS))]
        blocks += [f"rows v{i}\n----" for i in range(VIEWS)]
        return "\n\n".join(blocks) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--golden", required=True, help="the golden runner")
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-random-queries-"))
    for seed in range(options.seed, options.seed + options.files):
        (folder / f"seed{seed}.test").write_text(Generator(seed).file())
    environment = dict(os.environ, MILLRACE_GOLDEN_DIR=str(folder), MILLRACE_GOLDEN_REWRITE="1")
    run = subprocess.run([options.golden], env=environment, capture_output=True, text=True)
    if run.returncode != 0:
        print(run.stdout[-5000:])
        print(f"the golden runner fails; the files are in {folder}")
        return 1
    psql = against_postgres.Psql()
    wrong = 0
    for path in sorted(folder.glob("*.test")):
        compared, left_out, differences = against_postgres.check(path, psql)
        wrong += len(differences)
        print(f"{path.name}: {compared} views compared, {left_out} left out")
        for difference in differences:
            print(difference)
    psql.close()
    print(f"{wrong} differences; the files are in {folder}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Checks the expectations of golden files against PostgreSQL: the independent oracle.

    tests/sql/against_postgres.py [FILE.test...]     PGHOST, PGPORT, PGUSER, PGDATABASE as for psql

Tables and views are made in a schema that is dropped again, records are inserted as they are
appended, and every `rows` block over a view is compared with what PostgreSQL answers. Without files
all golden files are checked, and the examples of docs/functions.md. The windows of tumble and hop
are written out for it, and inserts into tables with a primary key become upserts. Views of emit =
'final', those with as_of, and those that have late rows, are left out. Where PostgreSQL fails a
statement that Millrace answers row by row, the view is asked for each row by itself. Numbers are
compared at 12 digits: scales of numeric differ. What stands behind a comment "# PostgreSQL
differs: why" is left out.
"""

import argparse
import csv
import decimal
import io
import json
import pathlib
import re
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
FUNCTIONS = FOLDER.parent.parent / "docs" / "functions.md"
NULL = "\x01"
END = "--end-of-answer--"
csv.field_size_limit(1 << 30)


class Psql:
    """One session. Statements that fail raise Refused."""

    class Refused(Exception):
        pass

    def __init__(self):
        self.process = subprocess.Popen(
            ["psql", "-X", "-q", "--csv", "-t", "-P", f"null={NULL}"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.run("SET timezone = 'UTC'; SET client_min_messages = error;"
                 "SET extra_float_digits = 1")

    def run(self, sql):
        self.process.stdin.write(f"{sql}\n;\n\\echo {END} :ERROR\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.startswith(END):
                if line.split()[1] == "true":
                    raise Psql.Refused("".join(lines).strip())
                # A row of one empty text is an empty line.
                return [row or [""] for row in csv.reader(io.StringIO("".join(lines)))]
            lines.append(line)
        raise RuntimeError("psql has ended: " + "".join(lines))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def parse(text):
    """(directive line, body, expected lines, whether a difference is named) of each block."""
    blocks, block, differs = [], [], False
    for line in text.splitlines() + [""]:
        if line.startswith("#") and not block:
            differs = differs or line.startswith("# PostgreSQL differs")
        elif line:
            block.append(line)
        elif block:
            cut = block.index("----") if "----" in block else len(block)
            blocks.append((block[0], "\n".join(block[1:cut]), block[cut + 1:], differs))
            block, differs = [], False
    return blocks


def refused(blocks):
    """The records of each table that the file says are refused."""
    records = {}
    for head, _, expected, _ in blocks:
        if head.startswith("errors "):
            records.setdefault(head.split()[1], set()).update(
                line.split(" | ", 5)[5] for line in expected[1:])
    return records


def with_late_rows(blocks):
    """The views that have late rows, and those that read them."""
    found = {head.split()[1] for head, _, expected, _ in blocks
             if head.startswith("late ") and len(expected) > 1}
    queries = re.findall(r"VIEW (\w+)([^;]*)", "\n".join(
        body for head, body, *_ in blocks if head == "statement ok"))
    while True:
        more = {name for name, query in queries if found & set(re.findall(r"\w+", query))} - found
        if not more:
            return found
        found |= more


def json_number(text):
    """1.50 and 1.5 are equal, and 7.0 is 7."""
    number = decimal.Decimal(text)
    return int(number) if number == int(number) and abs(number) < 10**40 else float(number)


def normal(value, digits=12):
    """A form in which equal values of both sides are equal."""
    if value is None:
        return None
    stamp = re.fullmatch(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d+)?(\+00|Z)?", value)
    if stamp:
        zone = "Z" if stamp[4] else ""
        return f"{stamp[1]}T{stamp[2]}{(stamp[3] or '').rstrip('0').rstrip('.')}{zone}"
    try:
        number = decimal.Decimal(value)
        if number.is_finite():
            with decimal.localcontext() as context:
                context.prec = digits
                return str((+number).normalize() + 0)
        return str(number)
    except decimal.InvalidOperation:
        pass
    if re.fullmatch(r"\{[^{}\":]+\}", value):  # An array whose elements need no quotes.
        return "{" + ",".join(normal(element, digits) for element in value[1:-1].split(",")) + "}"
    if value[:1] in '{["':
        try:
            return json.dumps(json.loads(value, parse_float=json_number), sort_keys=True)
        except ValueError:
            pass
    return value


def cells(line):
    """The values of a line of a golden file."""
    values = []
    cell = r"(?:^| \| )(?:'((?:[^'\\]|\\x..)*)'|([^|]*?))(?= \| |$)"
    for quoted, plain in re.findall(cell, line):
        if plain:
            values.append(None if plain == "NULL" else plain)
        else:
            values.append(re.sub(rb"\\x(..)", lambda m: bytes.fromhex(m[1].decode()),
                                 quoted.encode()).decode())
    return values


SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


def seconds(interval):
    number, unit = re.fullmatch(r"(\d+) (\w+?)s?", interval).groups()
    return int(number) * SECONDS[unit]


def written_out(query):
    """The windows of tumble and hop as PostgreSQL can say them: each row once per window."""
    def windows(call):
        table, column, lengths = call[2], call[3], re.findall(r"'([^']*)'", call[4])
        slide, size = seconds(lengths[0]), seconds(lengths[-1])
        first = f"floor(extract(epoch FROM {column}) / {slide}) * {slide}"
        alias = "" if re.match(r"\s+AS\s", query[call.end():]) else f" AS {call[1]}_{table}"
        return (f"(SELECT {table}.*, to_timestamp(of_window) AS window_start,"
                f" to_timestamp(of_window + {size}) AS window_end FROM {table}, generate_series("
                f"{first} - {size - slide}, {first}, {slide}) AS of_window){alias}")
    return re.sub(r"\b(tumble|hop)\((\w+), (\w+), ((?:interval '[^']*'(?:, )?)+)\)", windows,
                  query)


class Project:
    """The tables and views of one golden file in PostgreSQL."""

    def __init__(self, psql):
        self.psql = psql
        self.columns = {}   # Table: its declared columns, without generated ones.
        self.records = {}   # Table: accepted records.
        self.types = {}     # View: types of its columns.
        self.keys = {}      # Table: its primary key.
        self.deletes = {}   # Table: its delete_when.
        self.left_out = set()
        psql.run("DROP SCHEMA IF EXISTS golden CASCADE; CREATE SCHEMA golden;"
                 "SET search_path = golden")

    def define(self, sql):
        statements = [s.strip() for s in sql.split(";") if s.strip()]
        while statements:
            waiting = []
            for statement in statements:
                try:
                    self.define_one(statement)
                except Psql.Refused as refused:
                    if "does not exist" not in str(refused):
                        raise
                    waiting.append(statement)
            if len(waiting) == len(statements):
                self.left_out |= {re.search(r"(?:VIEW|TABLE|INTO) (\w+)", s)[1] for s in waiting}
                return
            statements = waiting

    def define_one(self, statement):
        table = re.match(r"CREATE TABLE (\w+) \(", statement)
        if table:
            name = table[1]
            key = re.search(r"(\w+) \w+ PRIMARY KEY|PRIMARY KEY \(([^)]*)\)", statement)
            self.keys[name] = (key[1] or key[2]).split(", ") if key else []
            deletes = re.search(r"delete_when = '((?:[^']|'')*)'", statement)
            self.deletes[name] = deletes[1].replace("''", "'") if deletes else "false"
            statement = re.sub(r"\)\s*WITH \([^()]*\)$", ")", statement)
            self.psql.run(statement)
            self.columns[name] = [row[0] for row in self.psql.run(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = 'golden'"
                f" AND table_name = '{name}' AND is_generated = 'NEVER'")]
            self.records[name] = []
            return
        name = re.search(r"VIEW (\w+)", statement)[1]
        if "emit = 'final'" in statement or "as_of(" in statement:
            self.left_out.add(name)
            return
        statement = written_out(statement)
        self.psql.run(re.sub(r"CREATE (MATERIALIZED )?VIEW (\w+)( WITH \([^()]*\))?",
                             r"CREATE VIEW \2", statement, count=1))
        self.types[name] = [row[0] for row in self.psql.run(
            "SELECT data_type FROM information_schema.columns WHERE table_schema = 'golden'"
            f" AND table_name = '{name}' ORDER BY ordinal_position")]

    def insert(self, table, record):
        names = ", ".join(f'"{column}"' for column in self.columns[table])
        quoted = record.replace("'", "''")
        rows = f"SELECT {names} FROM jsonb_populate_record(NULL::{table}, '{quoted}')"
        if self.keys[table]:
            same = " AND ".join(f"{table}.{column} = r.{column}" for column in self.keys[table])
            self.psql.run(f"DELETE FROM {table} USING ({rows}) AS r WHERE {same}")
            rows = f"SELECT * FROM ({rows}) AS r WHERE ({self.deletes[table]}) IS NOT TRUE"
        self.psql.run(f"INSERT INTO {table} ({names}) {rows}")

    def append(self, table, body, refused_records):
        if table in self.left_out:
            return
        for record in body.splitlines():
            if record not in refused_records:
                self.insert(table, record)
                self.records[table].append(record)

    def rows(self, view):
        try:
            rows = self.psql.run(f"SELECT * FROM {view}")
        except Psql.Refused:
            rows = self.rows_one_by_one(view)
        return [self.normal_row(view, [None if value == NULL else value for value in row])
                for row in rows]

    def normal_row(self, view, row):
        """Numbers of type real have 6 digits."""
        types = self.types.get(view, [""] * len(row))
        words = {"t": "true", "f": "false"}
        return [words.get(value, value) if kind == "boolean" else
                normal(value, 6 if kind == "real" else 12)
                for value, kind in zip(row, types, strict=True)]

    def rows_one_by_one(self, view):
        definition = self.psql.run(f"SELECT pg_get_viewdef('{view}'::regclass)")[0][0]
        if re.search(r"GROUP BY|\b(count|sum|min|max|avg)\(", definition):
            raise Psql.Refused("an aggregate fails")
        table = next(t for t in self.records if re.search(rf"\b{t}\b", definition))
        rows = []
        for record in self.records[table]:
            self.psql.run(f"BEGIN; DELETE FROM {table}")
            try:
                self.insert(table, record)
                rows += self.psql.run(f"SELECT * FROM {view}")
            except Psql.Refused:
                pass
            self.psql.run("ROLLBACK")
        return rows


def key(row):
    return [(value is not None, value or "") for value in row]


def check(path, psql):
    """(blocks compared, left out, differences as text)"""
    blocks = parse(path.read_text())
    if any(re.search(r"\w\.from = ", body) for head, body, *_ in blocks if head == "statement ok"):
        # Columns from places within the records: PostgreSQL has no such tables.
        return 0, sum(head.startswith("rows") for head, *_ in blocks), []
    project = Project(psql)
    project.left_out |= with_late_rows(blocks)
    compared, left_out, differences = 0, 0, []
    bad_records = refused(blocks)
    for head, body, expected, differs in blocks:
        words = head.split()
        if head == "statement ok":
            project.define(body)
        elif words[0] == "append":
            project.append(words[1], body, bad_records.get(words[1], set()))
        elif words[0] == "rows":
            if differs or words[1] in project.left_out:
                left_out += 1
                continue
            try:
                theirs = sorted(project.rows(words[1]), key=key)
            except Psql.Refused as reason:
                print(f"{path.name}: {head}: left out: {reason}")
                left_out += 1
                continue
            ours = sorted((project.normal_row(words[1], cells(line)) for line in expected[1:]),
                          key=key)
            compared += 1
            if ours != theirs:
                differences.append(f"{path.name}: {head}\n" + "".join(
                    f"    {sign} {row}\n" for sign, rows, others in
                    (("expected  ", ours, theirs), ("PostgreSQL", theirs, ours))
                    for row in rows if row not in others))
    psql.run("DROP SCHEMA golden CASCADE")
    return compared, left_out, differences


def examples(text):
    """(expression, answer) of the tables of docs/functions.md; the answer as Millrace shows it."""
    for line in text.splitlines():
        row = re.split(r"(?<!\\)\|", line)
        if not line.startswith("| `") or "Millrace only" in line:
            continue
        spans = re.findall("`([^`]*)`", row[3].replace("\\|", "|"))
        answers = [answer.strip().replace("\\|", "|") for answer in row[4].split("<br>")]
        yield from zip(spans, answers, strict=True)


def check_examples(psql):
    """As check, over docs/functions.md."""
    compared, differences = 0, []
    for expression, answer in examples(FUNCTIONS.read_text()):
        try:
            value, kind = psql.run(f"SELECT ({expression})::text, pg_typeof({expression})")[0]
            theirs = {"t": "true", "f": "false"}.get(value, value) if kind == "boolean" else value
            theirs = "NULL" if theirs == NULL else normal(theirs)
        except Psql.Refused:
            theirs = "error"
        ours = answer[1:-1] if answer.startswith("`") else answer.replace("empty", "")
        ours = "error" if answer.startswith("error ") else normal(ours)
        compared += 1
        if ours != theirs:
            differences.append(f"    {expression}: expected {ours}, PostgreSQL {theirs}\n")
    return compared, 0, differences


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    files = [path.resolve() for path in parser.parse_args().files]
    psql = Psql()
    wrong = 0
    for path in files or [*sorted(FOLDER.glob("*.test")), FUNCTIONS]:
        examine = check_examples(psql) if path == FUNCTIONS else check(path, psql)
        compared, left_out, differences = examine
        print(f"{path.name}: {compared} blocks compared, {left_out} left out, "
              f"{len(differences)} differ")
        for difference in differences:
            print(difference)
        wrong += len(differences)
    psql.close()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Writes CSV with Python's csv module in many dialects and compares what Millrace reads of it."""

import argparse
import csv
import os
import random
import sys
import tempfile

from running import Failure, Millrace, wait_until

# Name, options of the table, and those of csv.writer.
DIALECTS = [
    ("plain", "", {}),
    ("crlf", "", {"lineterminator": "\r\n"}),
    ("all_quoted", "", {"quoting": csv.QUOTE_ALL}),
    ("texts_quoted", "", {"quoting": csv.QUOTE_NONNUMERIC}),
    ("tabs", ", delimiter = 'tab', quote = ''''", {"delimiter": "\t", "quotechar": "'"}),
    ("semicolons", ", delimiter = ';'", {"delimiter": ";"}),
    ("escaped", r", escape = '\'", {"doublequote": False, "escapechar": "\\"}),
    ("unquoted", r", quote = '', escape = '\'",
     {"quoting": csv.QUOTE_NONE, "escapechar": "\\", "quotechar": None}),
]
PIECES = ["a", "b", "lorem", ",", ";", "\t", "'", '"', '""', "\n", "\r\n", "\\", " ", "\u00e4",
          "\u20ac", "\U0001d11e", "1", "NULL", "\\N"]
COLUMNS = ("id", "text", "n", "price", "at", "more")


def random_rows(rng, count):
    rows = []
    for number in range(count):
        texts = ["".join(rng.choices(PIECES, k=rng.randrange(7))) for _ in range(2)]
        second = rng.randrange(86_400)
        rows.append([number, texts[0], rng.randrange(-2**31, 2**31),
                     f"{rng.randrange(10**8) / 100:.2f}",
                     f"2026-01-{1 + number % 28:02} {second // 3600:02}:{second // 60 % 60:02}:"
                     f"{second % 60:02}.{rng.randrange(1000):03}", texts[1]])
    return rows


def expected_of(row):
    number, text, n, price, at, more = row
    fraction = "" if at.endswith(".000") else at[19:]
    return {"id": number, "text": text, "n": n, "price": price,
            "at": f"{at[:10]}T{at[11:19]}{fraction}Z", "more": more}


def records_of(server, table):
    """All records of a table."""
    records, position = [], ""
    while True:
        answer = server.get(f"/api/v1/streams/{table}/records?limit=1000"
                            + (f"&from={position}" if position else ""))
        if not answer["records"]:
            return records
        records += [record["row"] for record in answer["records"]]
        position = answer["next"]


def run(binary, rows_count, rng, work):
    rows, sql = {}, []
    for name, options, arguments in DIALECTS:
        rows[name] = random_rows(rng, rows_count)
        path = os.path.join(work, name + ".csv")
        header = rng.random() < 0.7
        with open(path, "w", encoding="utf-8", newline="") as file:
            arguments = {"lineterminator": "\n"} | arguments
            writer = csv.writer(file, **arguments)
            if header:
                writer.writerow(COLUMNS)
            writer.writerows(rows[name])
        # No field is this text, so that none is NULL.
        sql.append(f"CREATE TABLE {name} (id bigint, text text, n integer, price numeric(12,2), "
                   f"at timestamptz, more text) WITH (connector = 'file', path = '{path}', "
                   f"format = 'csv', header = '{str(header).lower()}', null_text = 'nothing', "
                   f"timestamp_format = 'yyyy-MM-dd HH:mm:ss.fff', partitions = 1{options});")
    project = os.path.join(work, "project")
    os.mkdir(project)
    with open(os.path.join(project, "test.sql"), "w", encoding="utf-8") as file:
        file.write("\n".join(sql))
    server = Millrace(binary, project, work)
    server.start()
    try:
        for name, _, _ in DIALECTS:
            expected = [expected_of(row) for row in rows[name]]
            wait_until(lambda n=name: len(records_of(server, n)) >= rows_count, f"table {name}")
            got = [{c: record[c] for c in COLUMNS} for record in records_of(server, name)]
            for record in got:
                record["price"] = f"{float(record['price']):.2f}"
            for want, have in zip(expected, got):
                if want != have:
                    raise Failure(f"{name}: {have} instead of {want}")
            if len(got) != len(expected):
                raise Failure(f"{name}: {len(got)} records instead of {len(expected)}")
            errors = server.get(f"/api/v1/streams/errors${name}/records?limit=1")["records"]
            if errors:
                raise Failure(f"{name}: {errors}")
    finally:
        server.stop()
    print(f"{len(DIALECTS)} dialects, {rows_count} records each, as Python writes them")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="millrace-csv-") as work:
        try:
            run(arguments.binary, arguments.rows, random.Random(arguments.seed), work)
        except Failure as failure:
            sys.exit(f"FAILED: {failure}")


if __name__ == "__main__":
    main()

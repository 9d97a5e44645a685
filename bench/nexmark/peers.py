"""What the comparisons with other systems share: the events, Millrace's answers, equal rows."""

import argparse
import collections
import decimal
import json
import pathlib
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EXIT_NOT_RUN = 77
ROWS_MAX = 1_000_000
_END_SECONDS = 30


def parser(description, queries):
    """The options that every comparison has; `queries` are the names that --queries may give."""
    def chosen(text):
        names = list(queries) if text == "all" else text.split(",")
        if unknown := [name for name in names if name not in queries]:
            raise argparse.ArgumentTypeError(
                f"there is no query {unknown[0]}; there are {', '.join(queries)} and all")
        return names

    result = argparse.ArgumentParser(description=description.splitlines()[0])
    result.add_argument("--millrace", "--binary", default=ROOT / "build" / "release" / "millrace",
                        help="the program")
    result.add_argument("--events", type=int, default=200_000)
    result.add_argument("--out-of-order-group", type=int, default=1)
    result.add_argument("--input", type=pathlib.Path,
                        help="a file of events; default: a new one with --events of them")
    result.add_argument("--runs", type=int, default=1, help="the table shows the median of so many")
    result.add_argument("--queries", "--query", type=chosen, default="all",
                        help="such as q0,q5; default: all")
    return result


def main(run_comparison):
    """Calls it and exits with what it returns. Ends what it runs when this script is ended."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        status = run_comparison()
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT
    except subprocess.CalledProcessError as failed:
        print(f"{failed.output}{failed.cmd[0]} failed with {failed.returncode}", file=sys.stderr)
        status = 1
    except FileNotFoundError as missing:
        print(missing, file=sys.stderr)
        status = 1
    sys.exit(status)


def run(command, **options):
    """Runs a program to its end and returns its standard output; it does not outlive this call."""
    command = [str(word) for word in command]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options) as process:
        try:
            output, _ = process.communicate()
        except BaseException:
            process.terminate()
            try:
                process.wait(timeout=_END_SECONDS)
            finally:
                process.kill()
            raise
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command, output)
    return output


def events_file(options, folder):
    """The file that both sides read."""
    if options.input:
        return options.input.resolve()
    file = folder / "events.ndjson"
    run([options.millrace, "bench", "nexmark", "--generate", file, "--events", options.events,
         "--out-of-order-group", options.out_of_order_group])
    return file


def run_millrace(options, file, query, workers, folder):
    """Returns the report and the rows."""
    output = folder / "rows"
    report = json.loads(run(
        [options.millrace, "bench", "nexmark", "--query", query, "--input", file, "--output",
         output, "--workers", workers, "--format", "json", "--dir", folder]))
    count, rows = read_rows([output / f"{query}.ndjson"], report["rows"])
    return report, rows


def read_rows(files, count=None, value=lambda value: value):
    """The rows of files of JSON lines: how many, and each with how often it is there.

    `count` is how many there are, counted where it is None. Of more than ROWS_MAX each is not
    looked at. `value` makes a value comparable with Millrace's.
    """
    if count is None:
        count = sum(chunk.count(b"\n") for file in files for chunk in _chunks(file))
    rows = collections.Counter()
    if count <= ROWS_MAX:
        for file in files:
            with open(file, encoding="utf-8") as lines:
                for line in lines:
                    row = json.loads(line, parse_float=decimal.Decimal)
                    rows[tuple(value(plain(each)) for each in row.values())] += 1
    return count, rows


def _chunks(path):
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            yield chunk


def plain(value):
    """Times as Millrace writes them; all numbers as one type."""
    if hasattr(value, "isoformat"):
        return value.isoformat(sep=" ", timespec="milliseconds")
    return decimal.Decimal(value) if isinstance(value, (int, decimal.Decimal)) else value


def difference(ours_count, ours, peer, theirs_count, theirs):
    """What is different between Millrace's rows and those of `peer`, or None."""
    if ours_count != theirs_count:
        return f"Millrace has {ours_count} rows, {peer} {theirs_count}"
    for name, rows in (("Millrace", ours - theirs), (peer, theirs - ours)):
        for row, count in rows.items():
            return f"only {name} has {count} times ({sum(rows.values())} in all): {row}"
    return None


def verdict(found, count):
    """The last word of a line of the table; `found` is what difference() has said."""
    return "DIFFERENT" if found else "equal" if count <= ROWS_MAX else "as many"


def print_table(queries, compare):
    """Prints what compare(query) returns, a line and what is different or None; the exit status."""
    failed = False
    for query in queries:
        line, found = compare(query)
        print(line, flush=True)
        if found:
            print(f"  {found}")
            failed = True
    return 1 if failed else 0

"""Random expressions of every type over one table: see random_queries.py."""

import json
import random

COLUMNS = {"int": ["i", "k"], "bigint": ["l"], "numeric": ["n"], "double": ["d"],
           "boolean": ["b"], "text": ["t", "u"], "timestamptz": ["at"], "timestamp": ["ts"],
           "date": ["day"], "interval": ["span"], "jsonb": ["j"], "bytea": ["raw"]}
TABLE = """CREATE TABLE r (id int, i int, k int, l bigint, n numeric(8,2), d double precision,
                b boolean, t text, u text, at timestamptz, ts timestamp, day date, span interval,
                j jsonb, raw bytea)
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
            "timestamp": lambda: "timestamp '2024-0%d-31 02:30'" % self.pick(1, 3, 5, 7, 8),
            "date": lambda: "date '2024-0%d-29'" % rng.randint(1, 9),
            "bytea": lambda: self.pick("'\\x'", "'\\x00ff'", "'\\x616263'") + "::bytea",
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
        if kind != "jsonb":
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
            f"regexp_{self.pick('count', 'instr')}({self.expression('text', depth)},"
            f" '{self.pattern()}')",
            f"ascii({self.expression('text', depth)})",
            f"octet_length({self.expression('bytea', depth)})",
            f"width_bucket({self.expression('double', depth)}, -10, 10, 4)",
            f"{self.expression('numeric', depth)}::int")

    def bigint(self, kind, depth):
        return self.pick(self.number(kind, depth, "+-*/%"),
                         f"({self.expression('int', depth)})::bigint")

    def numeric(self, kind, depth):
        return self.pick(self.number(kind, depth, "+-*"),
                         f"round({self.expression(kind, depth)}, {self.rng.randint(0, 2)})",
                         f"{self.pick('ceil', 'floor', 'abs')}({self.expression(kind, depth)})",
                         f"({self.expression('int', depth)})::numeric",
                         f"div({self.expression(kind, depth)}, {self.literal('numeric')})",
                         f"extract({self.pick('second', 'epoch', 'minute')} FROM"
                         f" {self.expression('interval', depth)})")

    def double(self, kind, depth):
        return self.pick(self.number(kind, depth, "+-*/"),
                         f"({self.expression('int', depth)})::double precision",
                         f"round({self.expression(kind, depth)})",
                         f"{self.pick('sqrt', 'cbrt', 'ln', 'exp', 'atan', 'sign')}"
                         f"({self.expression(kind, depth)})",
                         f"power({self.expression(kind, depth)}, {self.pick(2, 0.5, -1)})")

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
            f"({self.expression('text', depth)} {self.pick('~', '!~', '~*', '!~*')}"
            f" '{self.pattern()}')",
            f"({self.expression('jsonb', depth)} {self.pick('@>', '<@')}"
            f" {self.expression('jsonb', depth)})",
            f"({self.expression('jsonb', depth)} ? {self.literal('text')})",
            f"starts_with({self.expression('text', depth)}, {self.literal('text')})",
            f"({self.expression('text', depth)} {self.pick('LIKE', 'NOT LIKE', 'ILIKE')}"
            f" '{self.pick('a%', '%b', '_', '%', '', 'A_c')}')")

    def pattern(self):
        atoms = ["a", "b", "[ab]", "[^a]", ".", "(a|ab)", "^", "$", r"\w", r"\s", "x", " ", "(b)"]
        pattern = ""
        for _ in range(self.rng.randint(1, 4)):
            atom = self.pick(*atoms)
            pattern += atom + ("" if atom in "^$" else self.pick("", "", "*", "+", "?", "{1,2}"))
        return pattern

    def time_format(self):
        fields = ["YYYY", "MM", "DD", "HH24", "HH12", "MI", "SS", "MS", "US", "AM", "Month",
                  "FMMonth",
                  "DAY", "Dy", "DDD", "FMDDth", "Q", "WW", "IW", "IYYY", "D", "ID", "J", "CC",
                  "Y,YYY", "RM", "FF2", "SSSS", "TZH", "W"]
        separator = self.pick(" ", "-", ":")
        chosen = [self.pick(*fields) for _ in range(3)]
        # PostgreSQL's to_timestamp takes the same day twice for a conflict.
        days = [i for i, field in enumerate(chosen) if field in ("DAY", "Dy")]
        for i in days[1:]:
            chosen[i] = "YYYY"
        return separator.join(chosen)

    def number_format(self):
        body = "".join(self.pick("9", "9", "0", ",") for _ in range(self.rng.randint(1, 7)))
        point = self.pick("", "." + "".join(self.pick("9", "0") for _ in range(2)))
        form = self.pick("", "FM") + body + point
        return self.pick(form, form, "S" + form, form + "S", form + "MI", form + "PR", "SG" + form,
                         form + "PL", form + "th")

    def text(self, kind, depth):
        text = self.expression(kind, depth)
        rng = self.rng
        return self.pick(
            f"({text} || {self.expression(self.pick('text', 'int', 'date'), depth)})",
            f"{self.pick('upper', 'lower', 'trim', 'ltrim', 'reverse')}({text})",
            f"{self.pick('left', 'right')}({text}, {self.rng.randint(-2, 3)})",
            f"substring({text}, {self.rng.randint(-1, 3)}, {self.rng.randint(0, 3)})",
            f"replace({text}, 'a', 'bb')",
            f"split_part({text}, 'b', {self.pick(1, 2, -1)})",
            f"({self.expression('jsonb', depth)} ->> 'a')",
            f"regexp_replace({text}, '{self.pattern()}', '<{self.pick('', chr(92) + '&')}>'"
            f", '{self.pick('', 'g')}')",
            f"regexp_substr({text}, '{self.pattern()}')",
            f"{self.pick('lpad', 'rpad')}({text}, {rng.randint(-1, 6)}, {self.literal('text')})",
            f"repeat({text}, {rng.randint(-1, 2)})",
            f"initcap({text})",
            f"translate({text}, 'ab', '{self.pick('', 'x', 'xyz')}')",
            f"overlay({text} placing '#' from {rng.randint(1, 3)} for {rng.randint(0, 2)})",
            f"concat_ws('-', {text}, {self.expression(self.pick('int', 'boolean'), depth)})",
            f"format('%s/%L', {text}, {self.expression('int', depth)})",
            f"md5({text})",
            f"encode({self.expression('bytea', depth)}, '{self.pick('hex', 'base64', 'escape')}')",
            f"to_char({self.expression(self.pick('timestamptz', 'timestamp'), depth)},"
            f" '{self.time_format()}')",
            f"to_char({self.expression(self.pick('int', 'bigint', 'numeric'), depth)},"
            f" '{self.number_format()}')",
            f"({self.expression(self.pick('int', 'numeric', 'boolean', 'interval'), depth)})::text")

    def timestamptz(self, kind, depth):
        at = self.expression(kind, depth)
        form = "YYYY " + self.time_format().replace("CC", "DD")
        return self.pick(
            f"to_timestamp(to_char({at}, '{form}'), '{form}')",
            f"({at} {self.pick('+', '-')} {self.expression('interval', depth)})",
            f"date_trunc('{self.pick('hour', 'day', 'week', 'month', 'quarter', 'year')}', {at})",
            f"date_trunc('{self.pick('day', 'month', 'hour')}', {at}, 'Europe/Berlin')",
            f"({self.expression('timestamp', depth)} AT TIME ZONE '{self.zone()}')",
            f"date_bin('{self.pick('15 minutes', '7 days', '1 hour')}', {at}, "
            f"{self.literal(kind)})",
            f"({self.expression('date', depth)})::timestamptz")

    def zone(self):
        return self.pick("Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC", "CET")

    def timestamp(self, kind, depth):
        at = self.expression("timestamptz", depth)
        return self.pick(
            f"({at} AT TIME ZONE '{self.zone()}')",
            f"({self.expression(kind, depth)} {self.pick('+', '-')}"
            f" {self.expression('interval', depth)})",
            f"({self.expression('date', depth)} + {self.expression('interval', depth)})",
            f"date_trunc('{self.pick('hour', 'week', 'quarter')}', {self.expression(kind, depth)})",
            f"({at})::timestamp")

    def bytea(self, kind, depth):
        return self.pick(f"({self.expression(kind, depth)} || {self.expression(kind, depth)})",
                         f"sha256({self.expression(kind, depth)})",
                         f"substring({self.expression(kind, depth)}, {self.rng.randint(0, 3)})",
                         f"convert_to({self.expression('text', depth)}, 'UTF8')")

    def date(self, kind, depth):
        return self.pick(f"({self.expression(kind, depth)} + {self.rng.randint(-40, 40)})",
                         f"({self.expression('timestamptz', depth)})::date")

    def interval(self, kind, depth):
        return self.pick(
            self.number(kind, depth, "+-"),
            f"({self.expression('timestamptz', depth)} - {self.expression('timestamptz', depth)})",
            f"(- {self.expression(kind, depth)})",
            f"age({self.expression('timestamptz', depth)}, "
            f"{self.expression('timestamptz', depth)})",
            f"justify_{self.pick('days', 'hours', 'interval')}({self.expression(kind, depth)})",
            f"({self.expression(kind, depth)} {self.pick('*', '/')} {self.pick(2, 0.3, -1.5, 7)})",
            f"date_trunc('{self.pick('hour', 'day', 'month')}', {self.expression(kind, depth)})",
            f"make_interval(days => {self.rng.randint(-3, 3)}, secs => {self.rng.random():.3f})")

    def jsonb(self, kind, depth):
        return self.pick(f"({self.expression(kind, depth)} -> 'a')",
                         f"({self.expression(kind, depth)} -> {self.pick(0, 1, -1)})",
                         f"({self.expression(kind, depth)} #> '{{a,b}}')",
                         f"({self.expression(kind, depth)} || {self.expression(kind, depth)})",
                         # Of a literal it could fail when PostgreSQL plans, needed or not.
                         f"({self.pick(*COLUMNS[kind])} - "
                         f"{self.pick(0, chr(39) + 'a' + chr(39))})",
                         f"jsonb_build_object('a', {self.expression('int', depth)},"
                         f" 'b', {self.expression('text', depth)})",
                         f"jsonb_build_array({self.expression('boolean', depth)},"
                         f" {self.expression(kind, depth)})",
                         f"jsonb_strip_nulls({self.expression(kind, depth)})",
                         f"to_jsonb({self.expression(self.pick('int', 'boolean', 'date'), depth)})")

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
            "ts": lambda: self.pick("2024-03-31T02:30:00", "2024-10-27T02:30:00",
                                    "1999-12-31T23:59:59.999999", "2024-02-29T00:00:00"),
            "raw": lambda: self.pick("\\x", "\\x00", "\\x616263ff"),
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
        key = self.expression(self.pick("int", "text", "boolean", "date", "timestamp"), 1)
        numbers = ["int", "bigint", "numeric"]
        ordered = [k for k in kinds if k not in ("boolean", "bytea", "interval")]
        select = [f"{key} AS k", "count(*) AS c"]
        select.append(f"count({self.expression(kind, 1)}) AS n")
        select.append(f"{self.pick('sum', 'avg')}({self.expression(self.pick(*numbers), 1)}) AS s")
        select.append(f"{self.pick('min', 'max')}({self.expression(self.pick(*ordered), 1)}) AS m")
        return (f"CREATE MATERIALIZED VIEW {name} AS SELECT {', '.join(select)} FROM r{where}"
                f" GROUP BY 1;")


def file(seed):
    """The text of a golden file, and how many queries it has."""
    generator = Generator(seed)
    views = [generator.view(f"v{i}") for i in range(VIEWS)]
    blocks = ["statement ok\n" + "\n".join([TABLE, *views]),
              "append r\n" + "\n".join(generator.record(i) for i in range(ROWS))]
    blocks += [f"rows v{i}\n----" for i in range(VIEWS)]
    return "\n\n".join(blocks) + "\n", VIEWS

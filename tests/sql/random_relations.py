"""Random views of every shape over tables, upserts and each other: see random_queries.py.

Times of all tables go on together, and are out of order by less than the watermark's delay, so that
hardly a row is late and windows and intervals are forgotten on the way all the same.
"""

import dataclasses
import json
import random

TABLES = {
    "a": ([("id", "int"), ("k", "int"), ("g", "text"), ("n", "bigint"), ("m", "numeric(8,2)"),
           ("at", "timestamptz")], "event_time = 'at', watermark_delay = '20 seconds'"),
    "b": ([("id", "int"), ("k", "int"), ("label", "text"), ("w", "int"), ("at", "timestamptz")],
          "event_time = 'at', watermark_delay = '20 seconds'"),
    "u": ([("k", "int"), ("name", "text"), ("level", "int")], "delete_when = 'level < 0'"),
}
NUMBERS = ("int", "bigint", "numeric")
STEP_SECONDS = 7  # Between two records.
DELAY_SECONDS = 20
VIEWS = 10


@dataclasses.dataclass
class Relation:
    name: str
    columns: list  # (name, kind) of each.

    def of(self, *kinds):
        return [name for name, kind in self.columns if kind in kinds]


class Generator:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.tables = {name: Relation(name, [(column, kind.split("(")[0]) for column, kind in
                                             columns]) for name, (columns, _) in TABLES.items()}
        self.relations = list(self.tables.values())
        self.seconds = 0
        self.next_id = 0

    def pick(self, *choices):
        return self.rng.choice(choices)

    def chance(self, probability):
        return self.rng.random() < probability

    # Rows.

    def time(self):
        self.seconds += self.rng.randint(0, 2 * STEP_SECONDS)
        late = self.rng.randint(0, DELAY_SECONDS - 1) if self.chance(0.4) else 0
        seconds = max(0, self.seconds - late)
        return f"2026-01-01T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}Z"

    def record(self, table):
        rng = self.rng
        self.next_id += 1
        values = {
            "id": lambda: self.next_id,
            "k": lambda: rng.randint(0, 4),
            "g": lambda: self.pick("x", "y", "z", ""),
            "n": lambda: self.pick(-3, 0, 1, 2, 2, 10**10),
            "m": lambda: self.pick(0, 1.5, -2.25, 99.99, 1.5),
            "label": lambda: self.pick("x", "y", "w"),
            "w": lambda: rng.randint(-2, 5),
            "name": lambda: self.pick("x", "y", "Ann", "Bob"),
            "level": lambda: rng.randint(-1, 3),
            "at": self.time,
        }
        sure = ("id", "at") if table != "u" else ("k",)
        return json.dumps({column: values[column]() for column, _ in self.tables[table].columns
                           if column in sure or self.chance(0.85)})

    # Expressions.

    def value(self, relation, kind, prefix=""):
        """Of exactly this kind; a column of it is there, or a literal is taken."""
        names = [prefix + name for name in relation.of(kind)]
        literal = {"int": "3", "bigint": "7::bigint", "numeric": "1.5::numeric(8,2)",
                   "text": "'x'", "boolean": "true", "jsonb": "'[1]'::jsonb",
                   "array": "ARRAY[1]::numeric[]",
                   "timestamptz": "timestamptz '2026-01-01T00:05:00Z'"}[kind]
        if not names:
            return literal
        column = self.rng.choice(names)
        if kind == "int":
            return self.pick(column, column, f"({column} + 1)", f"coalesce({column}, 0)")
        if kind == "text":
            return self.pick(column, column, f"coalesce({column}, 'none')", f"upper({column})")
        return column

    def predicate(self, relation, prefix=""):
        kinds = [k for k in ("int", "text", "bigint", "numeric") if relation.of(k)]
        kind = self.pick(*(kinds or ["int"]))
        value = self.value(relation, kind, prefix)
        literal = {"int": str(self.rng.randint(-1, 4)), "bigint": str(self.rng.randint(0, 3)),
                   "numeric": "1.5", "text": self.pick("'x'", "'y'", "''")}[kind]
        test = self.pick(f"{value} {self.pick('=', '<>', '<', '>=')} {literal}",
                         f"{value} IS {self.pick('', 'NOT ')}NULL",
                         f"{value} IN ({literal}, {self.value(relation, kind, prefix)})")
        return test if self.chance(0.7) else \
            f"({test} {self.pick('AND', 'OR')} {self.predicate(relation, prefix)})"

    def where(self, relation, prefix="", probability=0.5):
        return f" WHERE {self.predicate(relation, prefix)}" if self.chance(probability) else ""

    # Queries: the SQL and its columns.

    def source(self):
        """A relation to read: tables often, views that are there already as well."""
        return self.pick(*self.relations, *self.tables.values())

    def projection(self, relation=None):
        relation = relation or self.source()
        columns = self.rng.sample(relation.columns, self.rng.randint(1, len(relation.columns)))
        select = ", ".join(f"{self.value(relation, kind)} AS c{i}"
                           for i, (_, kind) in enumerate(columns))
        distinct = self.pick("", "", "DISTINCT ")
        return (f"SELECT {distinct}{select} FROM {relation.name}{self.where(relation)}",
                [(f"c{i}", kind) for i, (_, kind) in enumerate(columns)])

    def aggregate_call(self, relation, prefix=""):
        numbers = [kind for kind in NUMBERS if relation.of(kind)] or ["int"]
        kind = self.pick(*numbers)
        value = self.value(relation, kind, prefix)
        call, result = self.pick(
            ("count(*)", "bigint"), (f"count({value})", "bigint"),
            (f"count(DISTINCT {value})", "bigint"),
            (f"sum({value})", "bigint" if kind == "int" else "numeric"),
            (f"{self.pick('min', 'max')}({value})", kind),
            (f"{self.pick('min', 'max')}({self.value(relation, 'text', prefix)})", "text"),
            (f"sum(DISTINCT {value})", "bigint" if kind == "int" else "numeric"),
            (f"avg({value})", "numeric"),
            (f"bool_or({self.predicate(relation, prefix)})", "boolean"),
            (f"string_agg({self.value(relation, 'text', prefix)}, ',' ORDER BY {value}"
             f"{self.pick('', ' DESC', ' NULLS FIRST')}, {self.value(relation, 'text', prefix)})",
             "text"),
            (f"jsonb_agg({value} ORDER BY {value}{self.pick('', ' DESC')})", "jsonb"),
            (f"array_agg({value} ORDER BY {value}{self.pick('', ' DESC')})", "array"))
        if self.chance(0.25):
            call += f" FILTER (WHERE {self.predicate(relation, prefix)})"
        return call, result

    def grouping(self, relation, source, keys, prefix=""):
        """An aggregation of `source`, which is relation's rows, by expressions (text, kind)."""
        select = [f"{key} AS g{i}" for i, (key, _) in enumerate(keys)]
        columns = [(f"g{i}", kind) for i, (_, kind) in enumerate(keys)]
        for i in range(self.rng.randint(1, 3)):
            call, kind = self.aggregate_call(relation, prefix)
            select.append(f"{call} AS s{i}")
            columns.append((f"s{i}", kind))
        by = ", ".join(str(i + 1) for i in range(len(keys)))
        having = f" HAVING count(*) {self.pick('>', '<')} {self.rng.randint(1, 3)}" \
            if self.chance(0.2) else ""
        return (f"SELECT {', '.join(select)} FROM {source}"
                f"{' GROUP BY ' + by if keys else ''}{having}", columns)

    def aggregation(self):
        relation = self.source()
        kinds = [kind for kind in ("int", "text", "timestamptz", "boolean") if relation.of(kind)]
        keys = [(self.value(relation, kind), kind) for kind in
                (self.pick(*kinds) for _ in range(self.rng.randint(0, 2)) if kinds)]
        return self.grouping(relation, relation.name + self.where(relation), keys)

    def join_condition(self, left, right, l, r):
        kinds = [kind for kind in ("int", "text", "bigint") if left.of(kind) and right.of(kind)]
        if not kinds:
            return None
        kind = self.pick(*kinds)
        condition = f"{l}.{self.pick(*left.of(kind))} = {r}.{self.pick(*right.of(kind))}"
        if self.chance(0.3):
            condition += f" AND {self.predicate(right, r + '.')}"
        return condition

    def join(self):
        left, right = self.source(), self.source()
        condition = self.join_condition(left, right, "l", "r")
        if condition is None:
            return self.aggregation()
        source = f"{left.name} AS l {self.pick('JOIN', 'LEFT JOIN')} {right.name} AS r" \
                 f" ON {condition}"
        columns = [("l." + name, kind) for name, kind in left.columns] + \
            [("r." + name, kind) for name, kind in right.columns]
        joined = Relation(source, columns)
        if self.chance(0.4):
            third = self.pick(*self.tables.values())
            more = self.join_condition(right, third, "r", "t")
            if more is not None:
                joined = Relation(f"{source} {self.pick('JOIN', 'LEFT JOIN')} {third.name} AS t"
                                  f" ON {more}",
                                  columns + [("t." + name, kind) for name, kind in third.columns])
        source = joined.name + self.where(joined)
        if self.chance(0.4):
            kind = self.pick("int", "text")
            return self.grouping(joined, source, [(self.value(joined, kind), kind)])
        chosen = self.rng.sample(joined.columns, min(len(joined.columns), self.rng.randint(1, 4)))
        return (f"SELECT {', '.join(f'{name} AS c{i}' for i, (name, _) in enumerate(chosen))}"
                f" FROM {source}", [(f"c{i}", kind) for i, (_, kind) in enumerate(chosen)])

    def interval_join(self):
        left, right = self.pick(("a", "b"), ("b", "a"), ("a", "a"))
        before, after = self.rng.randint(0, 60), self.rng.randint(0, 60)
        return (f"SELECT l.id AS c0, r.id AS c1, l.k AS c2, r.at AS c3 FROM {left} AS l"
                f" JOIN {right} AS r ON l.k = r.k AND r.at BETWEEN"
                f" l.at - interval '{before} seconds' AND l.at + interval '{after} seconds'"
                f"{self.where(self.tables[left], 'l.', 0.3)}",
                [("c0", "int"), ("c1", "int"), ("c2", "int"), ("c3", "timestamptz")])

    def window(self, table):
        return self.pick(f"tumble({table}, at, interval '{self.pick(20, 60)} seconds')",
                         f"hop({table}, at, interval '20 seconds', interval '1 minute')")

    def window_aggregation(self):
        table = self.tables[self.pick("a", "b")]
        keys = [("window_start", "timestamptz")]
        if self.chance(0.6):
            keys.append((self.value(table, "int"), "int"))
        return self.grouping(table, self.window(table.name) + self.where(table), keys)

    def window_join(self):
        window = self.window("a")
        return (f"SELECT l.window_start AS c0, l.id AS c1, r.id AS c2, r.label AS c3 FROM"
                f" {window} AS l JOIN {window.replace('(a,', '(b,')} AS r"
                f" ON l.k = r.k AND l.window_start = r.window_start",
                [("c0", "timestamptz"), ("c1", "int"), ("c2", "int"), ("c3", "text")])

    def union(self):
        first, columns = self.projection()
        kinds = [kind for _, kind in columns]
        parts = [first]
        for _ in range(self.rng.randint(1, 2)):
            relation = self.source()
            values = ", ".join(f"{self.value(relation, kind)} AS c{i}"
                               for i, kind in enumerate(kinds))
            parts.append(f"SELECT {values} FROM {relation.name}{self.where(relation)}")
        return " UNION ALL ".join(parts), columns

    def nested(self):
        """Rows of a query in FROM or WITH."""
        query, columns = self.query(self.projection, self.aggregation, self.join, self.union,
                                    self.window_aggregation)
        inner = Relation("q", columns)
        shape = self.pick(self.projection, self.aggregation)
        outer, outer_columns = shape(inner) if shape == self.projection else \
            self.grouping(inner, "q" + self.where(inner),
                          [(self.value(inner, "int"), "int")] if self.chance(0.7) else [])
        if self.chance(0.5):
            return f"WITH q AS ({query}) {outer}", outer_columns
        return outer.replace("FROM q", f"FROM ({query}) AS q", 1), outer_columns

    def query(self, *shapes):
        return self.pick(*shapes)()

    def view(self, name):
        query, columns = self.query(
            self.projection, self.aggregation, self.aggregation, self.join, self.join,
            self.interval_join, self.window_aggregation, self.window_join, self.union, self.nested,
            self.nested)
        self.relations.append(Relation(name, columns))
        return f"CREATE {self.pick('MATERIALIZED ', 'MATERIALIZED ', '')}VIEW {name} AS {query};"


def file(seed):
    """The text of a golden file, and how many queries it has."""
    generator = Generator(seed)
    rng = generator.rng
    blocks = []
    tables = []
    # Which rows are late after an idle partition depends on the partitions they are put into.
    goes_idle = rng.random() < 0.5
    for name, (columns, options) in TABLES.items():
        declared = ", ".join(f"{column} {kind}" + (" PRIMARY KEY" if (name, column) == ("u", "k")
                                                   else "") for column, kind in columns)
        tables.append(f"CREATE TABLE {name} ({declared})\n"
                      f"  WITH ({options}, partitions = {1 if goes_idle else rng.randint(1, 3)});")
    views = [(f"v{i}", generator.view(f"v{i}")) for i in range(VIEWS)]
    later = rng.randint(1, VIEWS)  # Views from here on come once there are records.
    shown = [name for name, view in views if "MATERIALIZED" in view]
    blocks.append("statement ok\n" + "\n".join(tables + [view for _, view in views[:later]]))
    rounds = rng.randint(3, 6)
    for i in range(rounds):
        if i == rounds // 2 and later < VIEWS:
            blocks.append("statement ok\n" + "\n".join(view for _, view in views[later:]))
        for table in rng.sample(list(TABLES), rng.randint(1, 3)):
            records = [generator.record(table) for _ in range(rng.randint(1, 8))]
            if table != "u" and rng.random() < 0.3:
                records.append(records[-1])
            blocks.append(f"append {table}\n" + "\n".join(records))
        if goes_idle and rng.random() < 0.6:
            blocks.append("advance 1 minute")
        if i >= rounds // 2:
            blocks += [f"rows {name}\n----" for name in shown]
    # PostgreSQL has the late rows: of inputs that others passed by while they were idle.
    blocks += [f"late {name}\n----" for name in shown]
    return "\n\n".join(blocks) + "\n", len(shown)

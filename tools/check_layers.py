#!/usr/bin/env python3
"""Fails when a file includes what its layer may not. The rules are in tools/layers.toml."""

import argparse
import os
import pathlib
import sys
import tomllib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cpp_text  # noqa: E402

TEST_FOLDER = "tests"


class Rules:
    def __init__(self, table):
        self.groups = table["groups"]
        self.rank = {folder: i for i, group in enumerate(self.groups) for folder in group}
        self.sideways = table.get("sideways", {})
        self.vendors = table.get("vendor", [])
        self.system = table.get("system", {}).get("include", [])

    def own_errors(self):
        """Contradictions within layers.toml."""
        errors = []
        for folder, others in self.sideways.items():
            for other in others:
                if folder not in self.rank or self.rank.get(folder) != self.rank.get(other):
                    errors.append(f"tools/layers.toml:1: sideways {folder} -> {other} is not "
                                  f"within one group")
        for cycle in cycles({f: list(others) for f, others in self.sideways.items()}):
            errors.append("tools/layers.toml:1: sideways includes form a cycle: "
                          + " -> ".join(cycle))
        return errors

    def forbids(self, folder, other):
        """Why `folder` may not include `other`, or None."""
        if folder == other:
            return None
        if other not in self.rank:
            return f"folder {other}/ is in no group of tools/layers.toml"
        if self.rank[other] < self.rank[folder]:
            return None
        if self.rank[other] == self.rank[folder]:
            if other in self.sideways.get(folder, []):
                return None
            return (f"{folder}/ and {other}/ are in one layer and tools/layers.toml lists no "
                    f"sideways include; move what both need to the left, or pass it in from app/")
        return (f"{folder}/ is left of {other}/; let {folder}/ own a small interface that "
                f"{other}/ implements")

    def vendor_of(self, name):
        for vendor in self.vendors:
            if matches(name, vendor["include"]):
                return vendor
        return None


def matches(name, patterns):
    return any(name.startswith(p) if p.endswith("/") else name == p for p in patterns)


def cycles(graph):
    """One list of nodes, first node repeated at the end, per cycle found."""
    found, state, path = [], {}, []

    def visit(node):
        state[node] = "open"
        path.append(node)
        for other in graph.get(node, []):
            if state.get(other) == "open":
                found.append(path[path.index(other):] + [other])
            elif other not in state:
                visit(other)
        path.pop()
        state[node] = "done"

    sys.setrecursionlimit(10000)
    for node in sorted(graph):
        if node not in state:
            visit(node)
    return found


def folder_of(path):
    """base for src/millrace/base/x.h, api for include/millrace/x.h, else None."""
    parts = path.split("/")
    if parts[:2] == ["include", "millrace"]:
        return "api"
    if parts[:2] == ["src", "millrace"] and len(parts) > 3:
        return parts[2]
    return None


def check_vendor(rules, path, include):
    name = include.name
    if matches(name, rules.system) or ("/" not in name and "." not in name):
        return None
    vendor = rules.vendor_of(name)
    if vendor is None:
        return (f"<{name}> is of no library that tools/layers.toml knows; give it a [[vendor]] "
                f"entry with the folders that may use it (C headers: use the <c...> form)")
    folders = vendor["folders"]
    if "*" in folders or (TEST_FOLDER in folders and cpp_text.is_test(path)):
        return None
    below = path.removeprefix("src/millrace/")
    if any(below.startswith(folder + "/") for folder in folders):
        return None
    where = "test files" if folders == [TEST_FOLDER] else ", ".join(f + "/" for f in folders)
    return f"<{name}> belongs to {vendor['name']}, which only {where} may include"


def check(root):
    """All errors as lines, and how many files were looked at."""
    with open(root / "tools/layers.toml", "rb") as file:
        rules = Rules(tomllib.load(file))
    files = [p for p in cpp_text.tracked_files(root)
             if p.endswith(cpp_text.SOURCE_SUFFIXES) and folder_of(p)]
    known = set(files)
    errors = rules.own_errors()
    graph = {}
    for path in files:
        folder = folder_of(path)
        if folder not in rules.rank:
            errors.append(f"{path}:1: folder {folder}/ is in no group of tools/layers.toml")
            continue
        graph[path] = []
        for include in cpp_text.load(root, path).includes():
            where = f"{path}:{include.line}: "
            if not include.name.startswith("millrace/"):
                if include.quoted:
                    errors.append(f'{where}"{include.name}" is not a path from src or include; '
                                  f'write "millrace/..."')
                else:
                    problem = check_vendor(rules, path, include)
                    errors += [where + problem] if problem else []
                continue
            target = next((t for t in ("src/" + include.name, "include/" + include.name)
                           if t in known), None)
            if target is None:
                errors.append(f'{where}there is no "{include.name}"')
                continue
            graph[path].append(target)
            problem = rules.forbids(folder, folder_of(target))
            if problem:
                errors.append(f'{where}may not include "{include.name}": {problem}')
    for cycle in cycles(graph):
        errors.append(f"{cycle[0]}:1: include cycle: " + " -> ".join(cycle))
    return errors, len(files)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent)
    root = parser.parse_args().root
    errors, count = check(root)
    for error in errors:
        print(error)
    print(f"check_layers: {count} files, {len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Fails on what the house style forbids and no compiler sees.

Rules and limits: tools/style_rules.py. Exceptions, each with a reason: tools/style_allow.toml.
"""

import argparse
import os
import pathlib
import re
import sys
import tomllib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cpp_text  # noqa: E402
import style_rules as rules  # noqa: E402

CPP_FOLDERS = ("src/", "include/", "tests/", "bench/", "examples/", "cmake/")
_TYPE_NAME = re.compile(
    r"\b(?:class|struct|union|enum(?:\s+(?:class|struct))?|namespace|concept|using)"
    r"\s+(?:MR_\w+\s*(?:\([^()]*(?:\([^()]*\))?[^()]*\))?\s*)?([A-Za-z_]\w*)")
_BANNED_IN_TYPE = re.compile(
    rf"(?:{'|'.join(rules.BANNED_NAME_WORDS)})(?=[A-Z0-9_]|$)")
_BANNED_IN_PATH = {word.lower() for word in rules.BANNED_NAME_WORDS}


class Allowed:
    """The entries of style_allow.toml; remembers which were needed."""

    def __init__(self, table):
        self.entries = [dict(entry, kind=kind) for kind in ("size", "function", "allow")
                        for entry in table.get(kind, [])]
        self.used = set()

    def limit(self, kind, file, name=None):
        return self._find(kind, file, "name", name, "lines")

    def allows(self, file, rule):
        return self._find("allow", file, "rule", rule, "rule") is not None

    def _find(self, kind, file, key, value, result):
        for i, entry in enumerate(self.entries):
            if (entry["kind"], entry.get("file")) == (kind, file) and entry.get(key) == value:
                self.used.add(i)
                return entry.get(result)
        return None

    def errors(self):
        for i, entry in enumerate(self.entries):
            what = " ".join(str(entry[k]) for k in ("file", "name", "rule") if k in entry)
            if not str(entry.get("reason", "")).strip():
                yield f"tools/style_allow.toml:1: [[{entry['kind']}]] {what}: no reason given"
            if i not in self.used:
                yield (f"tools/style_allow.toml:1: [[{entry['kind']}]] {what}: no longer needed, "
                       f"take it out")


def check_limit(allowed, kind, where, file, name, lines, limit, advice):
    """One size against its limit and its entry in style_allow.toml."""
    what = "file" if name is None else f"function {name}"
    if lines <= limit:
        return  # An entry is then reported as unused.
    entry = allowed.limit(kind, file, name)
    if entry is None:
        yield f"{where}: {what} has {lines} lines, at most {limit}; {advice}"
    elif entry != lines:
        yield (f"{where}: {what} has {lines} lines, tools/style_allow.toml says {entry}; "
               + ("lower the entry" if lines < entry else advice))


def check_sizes(source, allowed):
    path = source.path
    lines = source.raw.count("\n")
    if cpp_text.is_test(path):
        limit = rules.TEST_LINES
    else:
        limit = rules.HEADER_LINES if path.endswith(".h") else rules.SOURCE_LINES
    yield from check_limit(allowed, "size", f"{path}:1", path, None, lines, limit,
                           "split it by what it is responsible for")
    for function in source.functions():
        yield from check_limit(allowed, "function", f"{path}:{function.line}", path, function.name,
                               function.length, rules.FUNCTION_LINES, "split it by its steps")


def _is_deleted_or_operator(code, start, word):
    before = code[max(0, start - 200):start].rstrip()
    if before.endswith("operator") or (word == "delete" and before.endswith("=")):
        return True
    # Ownership is taken in the same expression.
    return word == "new" and re.search(r"\bunique_ptr\s*<[^;{}]*>\s*(?:\w+\s*)?[({]$", before)


def check_bans(source, allowed):
    path = source.path
    test = cpp_text.is_test(path)
    below = path.removeprefix("src/millrace/")
    for ban in rules.BANS:
        if test and not ban.in_tests:
            continue
        if ban.where and below.startswith(ban.where):
            continue
        for match in ban.regex.finditer(source.code):
            word = match.group().strip()
            if ban.rule in ("new", "delete"):
                if _is_deleted_or_operator(source.code, match.start(), ban.rule):
                    continue
            if allowed.allows(path, ban.rule):
                break
            line_start = source.code.rfind("\n", 0, match.start()) + 1
            if source.code[line_start:match.start()].lstrip().startswith("#include"):
                continue
            word = re.sub(r"\s*\(.*$", "", word, flags=re.S)
            yield (f"{path}:{source.line_of(match.start())}: '{word}' is banned here "
                   f"({ban.rule}); use {ban.instead}")


def check_header(source):
    path = source.path
    if not path.endswith(".h"):
        return
    if not re.search(r"^#pragma once$", source.code, re.M):
        yield f"{path}:1: no #pragma once"
    for match in re.finditer(r"\busing\s+namespace\b", source.code):
        yield (f"{path}:{source.line_of(match.start())}: using namespace in a header; "
               f"name what you use")


def check_own_header(source, known):
    """x.cc includes x.h first: that is what proves that x.h compiles alone."""
    if not source.path.endswith(".cc"):
        return
    header = source.path.removesuffix(".cc") + ".h"
    if header not in known:
        return
    includes = source.includes()
    name = re.sub(r"^(src|include)/", "", header)
    # Tests and benchmarks may have include folders of their own.
    product = source.path.startswith(("src/", "include/"))
    if not includes or not (includes[0].name == name or
                            not product and header.endswith("/" + includes[0].name)):
        line = includes[0].line if includes else 1
        yield f'{source.path}:{line}: the first include must be "{name}"'


def check_comments(source):
    for start, text in source.comments:
        for match in re.finditer(r"\b(TODO|FIXME|XXX)\b(\(#\d+\))?", text):
            where = f"{source.path}:{source.line_of(start + match.start())}"
            if match.group(1) != "TODO":
                yield f"{where}: {match.group(1)} in a comment; fix it, or write TODO(#issue): ..."
            elif not match.group(2):
                yield f"{where}: TODO without an issue; write TODO(#issue): ..."


def check_names(source):
    for match in _TYPE_NAME.finditer(source.code):
        word = _BANNED_IN_TYPE.search(match.group(1))
        in_namespace = match.group().startswith("namespace") and \
            _BANNED_IN_PATH & set(match.group(1).split("_"))
        if word or in_namespace:
            yield (f"{source.path}:{source.line_of(match.start(1))}: '{match.group(1)}': the words "
                   f"{', '.join(rules.BANNED_NAME_WORDS[::2])} and Manager say nothing; name the "
                   f"concept")


def check_path(path):
    words = set(re.split(r"[_/.\-]", path.lower()))
    if words & _BANNED_IN_PATH and path.startswith(("src/", "include/")):
        yield f"{path}:1: {', '.join(sorted(words & _BANNED_IN_PATH))} in a name; name the concept"


def check_text(root, path):
    """White space, tabs, columns and ASCII of any text file."""
    base = os.path.basename(path)
    if not (path.endswith(rules.TEXT_SUFFIXES) or base in rules.TEXT_NAMES):
        return
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        text = file.read()
    if text and not text.endswith("\n"):
        yield f"{path}:{text.count(chr(10)) + 1}: no line break at the end"
    code = path.endswith(rules.CODE_SUFFIXES)
    tabs = not (path.endswith(rules.TABS_ALLOWED) or base in rules.TABS_ALLOWED)
    for number, line in enumerate(text.split("\n"), 1):
        where = f"{path}:{number}"
        if line.endswith((" ", "\t", "\r")):
            yield f"{where}: white space at the end of the line"
        if tabs and "\t" in line:
            yield f"{where}: a tab; use spaces"
        if code and not line.isascii():
            char = next(c for c in line if not c.isascii())
            yield f"{where}: '{char}' is not ASCII; write it out, or \\u{ord(char):04x} in a string"
        if code and len(line) > rules.COLUMNS and not re.search(r"https?://|#include", line):
            yield f"{where}: {len(line)} columns, at most {rules.COLUMNS}"


def check_targets(root, sources, cmake_files):
    """Every .cc is named by a CMakeLists.txt above it, every header of src is included."""
    words = {}
    for path in cmake_files:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            text = re.sub(r"#[^\n]*", "", file.read())
        words[os.path.dirname(path)] = set(re.findall(r"[^\s()\"]+", text))
    included = {include.name for source in sources for include in source.includes()}
    for source in sources:
        path = source.path
        if path.endswith((".h", ".inc")):
            name = re.sub(r"^src/", "", path)
            if path.startswith("src/") and name not in included:
                yield f"{path}:1: no file includes it; take it out"
            continue
        if not path.startswith(("src/", "tests/", "bench/")):
            continue
        folder = os.path.dirname(path)
        while True:
            if os.path.relpath(path, folder or ".") in words.get(folder, ()):
                break
            if not folder:
                yield f"{path}:1: in no CMake target; add it to a CMakeLists.txt or take it out"
                break
            folder = os.path.dirname(folder)


def check_readmes(files):
    known = set(files)
    folders = sorted({"/".join(p.split("/")[:3]) for p in files
                      if p.startswith("src/millrace/") and p.count("/") > 2})
    for folder in folders:
        if f"{folder}/README.md" not in known:
            yield (f"{folder}/README.md:1: missing; under a screen: what the folder is for, its "
                   f"main types, who depends on it, how to add one more")


def check(root):
    """All errors as lines, and how many files were looked at."""
    with open(root / "tools/style_allow.toml", "rb") as file:
        allowed = Allowed(tomllib.load(file))
    files = cpp_text.tracked_files(root)
    known = set(files)
    errors, sources = [], []
    for path in files:
        size = os.path.getsize(os.path.join(root, path))
        if size > rules.BLOB_BYTES:
            errors.append(f"{path}:1: {size} bytes; files above 1 MiB do not go into git")
            continue
        if rules.FREE_TEXT.search(path):
            continue
        errors += check_path(path)
        errors += check_text(root, path)
        if path.endswith(cpp_text.SOURCE_SUFFIXES) and path.startswith(CPP_FOLDERS):
            sources.append(cpp_text.load(root, path))
    for source in sources:
        errors += check_sizes(source, allowed)
        errors += check_header(source)
        errors += check_own_header(source, known)
        errors += check_comments(source)
        errors += check_names(source)
        if source.path.startswith(("src/", "include/", "tests/", "bench/")):
            errors += check_bans(source, allowed)
    errors += check_targets(root, sources, [p for p in files if p.endswith("CMakeLists.txt")])
    errors += check_readmes(files)
    errors += allowed.errors()
    return errors, len(files)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent)
    root = parser.parse_args().root
    errors, count = check(root)
    for error in errors:
        print(error)
    print(f"check_style: {count} files, {len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())

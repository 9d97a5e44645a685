"""What the checkers know about C++ text: comments, strings, functions, includes."""

import bisect
import dataclasses
import os
import pathlib
import re
import subprocess

SOURCE_SUFFIXES = (".h", ".cc", ".inc")

_TOKEN = re.compile(
    r"""
    (?P<comment> //[^\n]*(?:\\\n[^\n]*)* | /\*.*?\*/ )
  | (?P<string>
        (?:u8|[uUL])?R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)"
      | "(?:\\.|[^"\\\n])*"
      | \b(?:u8|[uUL])'(?:\\.|[^'\\\n])+'
      | (?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'
    )
    """,
    re.S | re.X,
)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)
_DIRECTIVE = re.compile(r"^[ \t]*#[^\n]*(?:\\\n[^\n]*)*", re.M)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


@dataclasses.dataclass
class Include:
    line: int
    name: str
    quoted: bool


@dataclasses.dataclass
class Function:
    name: str
    line: int
    length: int


class CppFile:
    """One C++ file: as it is, without comments, and without comments and strings.

    All forms have the same length and line breaks, so an index means the same in each.
    """

    def __init__(self, path, text):
        self.path = path
        self.raw = text
        comments = []

        def strip_comment(match):
            if match.group("comment") is None:
                return match.group()
            comments.append((match.start(), match.group()))
            return _blank(match.group())

        def strip_string(match):
            if match.group("string") is None:
                return match.group()
            body = match.group()
            return '"' + _blank(body[1:-1]) + '"'

        self.code_with_strings = _TOKEN.sub(strip_comment, text)
        self.comments = comments
        self.code = _TOKEN.sub(strip_string, self.code_with_strings)
        self._line_starts = None

    def line_of(self, index):
        if self._line_starts is None:
            self._line_starts = [0] + [m.end() for m in re.finditer("\n", self.raw)]
        return bisect.bisect_right(self._line_starts, index)

    def includes(self):
        return [
            Include(self.line_of(m.start(1)), m.group(2), m.group(1) == '"')
            for m in _INCLUDE.finditer(self.code_with_strings)
        ]

    def functions(self):
        """Function bodies at namespace or class scope, with the line count clang-tidy uses."""
        code = _DIRECTIVE.sub(lambda m: _blank(m.group()), self.code)
        result = []
        stack = []  # of (kind, head, start)
        head_start = 0
        for match in re.finditer(r"[{};]", code):
            index = match.start()
            char = match.group()
            if char == "{":
                head = code[head_start:index]
                inside_body = any(kind == "body" for kind, _, _ in stack)
                kind = "inner" if inside_body else _kind_of_block(head)
                stack.append((kind, head, index))
                if kind != "neutral":
                    head_start = index + 1
            elif char == "}":
                if not stack:
                    head_start = index + 1
                    continue
                kind, head, start = stack.pop()
                if kind == "body":
                    first, last = self.line_of(start), self.line_of(index)
                    result.append(Function(_name_of(head), first, last - first))
                if kind != "neutral":
                    head_start = index + 1
            elif not any(kind == "neutral" for kind, _, _ in stack):
                head_start = index + 1
        return result


_SCOPE = re.compile(r"\b(namespace|class|struct|union|enum)\b|\bextern\s*\"")
_BODY_END = re.compile(
    r"(?:\)|\bconst|\bnoexcept|\boverride|\bfinal|\bmutable|\btry|&)\s*$|"
    r"\)[^(){}]*->\s*[\w:<>,\s&*()]+$"
)
_INITIALISER = re.compile(r"\)\s*(?:noexcept\s*(?:\([^()]*\)\s*)?)?:(?!:)")


def _kind_of_block(head):
    """scope (namespace, class), body (function), or neutral (braces of an initialiser)."""
    text = head.rstrip()
    if "(" in text:
        # A constructor's initialiser list: a brace after a name opens a value, one
        # after a value opens the body.
        if _INITIALISER.search(text):
            return "body" if re.search(r"[)}]$", text) else "neutral"
        if _BODY_END.search(text):
            return "body"
    if _SCOPE.search(text):
        return "scope"
    return "neutral"


def _name_of(head):
    text = re.sub(r"\b(?:alignas|decltype|noexcept|requires|explicit|MR_\w+)\s*\([^()]*\)", " ",
                  head)
    test = re.search(r"\b((?:TYPED_)?TEST(?:_F|_P)?|RC_GTEST_\w+)\s*\(([^()]*)\)", text)
    if test:
        return f"{test.group(1)}({', '.join(p.strip() for p in test.group(2).split(','))})"
    match = re.search(r"(operator\s*\S+?|~?[\w:~]+)\s*\(", text)
    return re.sub(r"\s+", "", match.group(1)) if match else "?"


def tracked_files(root):
    """All files of the project as posix paths: git's, or every file where there is no git."""
    try:
        out = subprocess.run(
            ["git", "-C", str(root), "ls-files", "-z", "-co", "--exclude-standard"],
            check=True, capture_output=True,
        ).stdout.decode()
        names = sorted(set(out.split("\0")) - {""})
        return [name for name in names if os.path.isfile(os.path.join(root, name))]
    except (subprocess.CalledProcessError, FileNotFoundError):
        root = pathlib.Path(root)
        return sorted(
            p.relative_to(root).as_posix()
            for p in root.rglob("*")
            if p.is_file() and ".git" not in p.parts
        )


def is_test(path):
    """Whether a file is part of tests or benchmarks, not of the product."""
    stem = os.path.splitext(os.path.basename(path))[0]
    return path.startswith(("tests/", "bench/")) or stem.endswith(
        ("_test", "_bench", "_fuzz", "_testing")
    )


def load(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return CppFile(path, file.read())

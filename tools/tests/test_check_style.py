"""Planted violations for tools/check_style.py."""

import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from planted import project  # noqa: E402

BASE = {
    "src/millrace/base/README.md": "Base.\n",
    "src/millrace/engine/README.md": "Engine.\n",
    "src/millrace/cli/README.md": "Command line.\n",
}


def run(files, allow="", in_git=False):
    """Runs over `files`; sources get a CMakeLists.txt that names them, unless one is given."""
    with project() as p:
        listed = {}
        for path in files:
            if path.endswith(".cc") and path.startswith("src/"):
                listed.setdefault(os.path.dirname(path), []).append(os.path.basename(path))
        for folder, names in listed.items():
            p.write(f"{folder}/CMakeLists.txt", " ".join(names) + "\n")
        for path, text in (BASE | files).items():
            p.write(path, text)
        p.write("tools/style_allow.toml", allow)
        if in_git:
            subprocess.run(["git", "init", "-q", str(p.root)], check=True)
        return p.run("check_style")


def lines_of(count):
    return "int x;\n" * count


def function_of(length, name="F"):
    """A function whose braces are `length` lines apart."""
    return f"void {name}() {{\n" + "  f();\n" * (length - 1) + "}\n"


class Style(unittest.TestCase):
    def assert_clean(self, files, allow=""):
        self.assertEqual([], run(files, allow))

    def assert_only(self, files, *parts, allow=""):
        errors = run(files, allow)
        self.assertEqual(1, len(errors), errors)
        for part in parts:
            self.assertIn(part, errors[0])

    def assert_code(self, code, *parts, folder="engine", name="a.cc"):
        """`code` on line 2 of a source is reported there, and only it."""
        path = f"src/millrace/{folder}/{name}"
        self.assert_only({path: "\n" + code + "\n"}, f"{path}:2:", *parts)

    def assert_code_clean(self, code, folder="engine", name="a.cc"):
        self.assert_clean({f"src/millrace/{folder}/{name}": code + "\n"})


class Bans(Style):
    def test_each_ban(self):
        for code, rule, instead in (
            ("throw 1;", "throw", "base/result.h"),
            ("try { f(); }", "catch", "adapter"),
            ("std::thread t;", "thread", "base/thread.h"),
            ("std::jthread t;", "thread", "base/thread.h"),
            ("t.detach();", "detach", "join"),
            ("std::this_thread::sleep_for(d);", "sleep", "CondVar"),
            ("usleep(10);", "sleep", "CondVar"),
            ("auto t = std::chrono::system_clock::now();", "clock", "base/clock.h"),
            ("auto t = time(nullptr);", "clock", "base/clock.h"),
            ("clock_gettime(CLOCK_REALTIME, &t);", "clock", "base/clock.h"),
            ("int x = rand();", "random", "base/rng.h"),
            ("std::random_device d;", "random", "base/rng.h"),
            ('auto v = getenv("HOME");', "getenv", "base/options.h"),
            ("std::cout << 1;", "print", "MR_LOG"),
            ('printf("x");', "print", "MR_LOG"),
            ("auto* b = dynamic_cast<B*>(a);", "dynamic_cast", "variant"),
            ("auto* a = new A();", "new", "make_unique"),
            ("delete a;", "delete", "unique_ptr"),
            ("delete[] a;", "delete", "unique_ptr"),
            ("std::mutex m;", "mutex", "base/mutex.h"),
            ("std::lock_guard<M> l(m);", "mutex", "base/mutex.h"),
            ('int fd = ::open("x", 0);', "file", "base/file_system.h"),
            ("if (fsync(fd) != 0) {}", "file", "base/file_system.h"),
            ("pwrite(fd, p, n, 0);", "file", "base/file_system.h"),
            ("std::rename(a, b);", "file", "base/file_system.h"),
            ("std::ofstream out;", "file", "base/file_system.h"),
            ("std::filesystem::path p;", "file", "base/file_system.h"),
        ):
            with self.subTest(code):
                self.assert_code(code, f"({rule})", instead)

    def test_where_it_belongs(self):
        self.assert_code_clean("std::thread t;", "base", "thread.cc")
        self.assert_code_clean("auto t = std::chrono::steady_clock::now();", "base", "clock.cc")
        self.assert_code_clean("int fd = ::open(p, 0);", "base", "posix_file_system.cc")
        self.assert_code_clean("std::cout << 1;", "cli", "run.cc")
        self.assert_code("std::thread t;", "(thread)", folder="base", name="clock.cc")

    def test_look_alikes(self):
        self.assert_code_clean("\n".join((
            "// throw new std::mutex, then delete it",
            'const char* s = "throw new std::thread"; const char c = \'"\';',
            'const char* r = R"(delete x; throw " )";',
            "A(const A&) = delete;",
            "void* operator new(std::size_t n);",
            "auto p = std::unique_ptr<A>(new A(1));",
            "auto* q = new (place) A(1);",
            "if (file.open(name) && reader->rename(a) && is_open() && open()) {}",
            "int rethrow = 1; int newest = 2; int brand = grand(x) + timeout(nullptr);",
            "MutexLock lock(mutex);",
        )))

    def test_tests_may_do_more(self):
        self.assert_code_clean("std::filesystem::path p; std::cout << 1;", name="a_test.cc")
        self.assert_code("std::this_thread::sleep_for(d);", "(sleep)", name="a_test.cc")

    def test_include_of_a_standard_header_is_fine(self):
        self.assert_code_clean("#include <filesystem>\n#include <new>")


class Sizes(Style):
    def test_limits(self):
        self.assert_clean({"src/millrace/engine/a.cc": lines_of(600)})
        self.assert_only({"src/millrace/engine/a.cc": lines_of(601)}, "601 lines, at most 600")
        self.assert_only({"src/millrace/engine/a_test.cc": lines_of(601)}, "601 lines")
        header = "#pragma once\n" + lines_of(350)
        self.assert_only({"src/millrace/engine/a.h": header,
                          "src/millrace/engine/b.cc": '#include "millrace/engine/a.h"\n'},
                         "src/millrace/engine/a.h:1:", "351 lines, at most 350")

    def test_function(self):
        self.assert_clean({"src/millrace/engine/a.cc": function_of(70)})
        self.assert_only({"src/millrace/engine/a.cc": "\n" + function_of(71, "A::Run")},
                         "src/millrace/engine/a.cc:2: function A::Run has 71 lines")

    def test_function_after_initialisers_and_lambdas(self):
        code = ("namespace m {\nA::A(int x) : a_{x}, b_{} {\n" + "  f([] { return 1; });\n" * 71
                + "}\nconst int kTable[] = {\n" + "  1,\n" * 100 + "};\n}  // namespace m\n")
        self.assert_only({"src/millrace/engine/a.cc": code}, "function A::A has 72 lines")

    def test_ratchet(self):
        path = "src/millrace/engine/a.cc"
        entry = '[[{}]]\nfile = "' + path + '"\n{}reason = "a table"\n'
        size = entry.format("size", "lines = {}\n")
        self.assert_clean({path: lines_of(610)}, size.format(610))
        self.assert_only({path: lines_of(609)}, "lower the entry", allow=size.format(610))
        self.assert_only({path: lines_of(611)}, "says 610", allow=size.format(610))
        self.assert_only({path: lines_of(10)}, "no longer needed", allow=size.format(610))
        function = entry.format("function", 'name = "F"\nlines = 80\n')
        self.assert_clean({path: function_of(80)}, function)
        self.assert_only({path: function_of(75)}, "lower the entry", allow=function)

    def test_allowed_ban(self):
        path = "src/millrace/engine/a.cc"
        allow = f'[[allow]]\nfile = "{path}"\nrule = "catch"\nreason = "{{}}"\n'
        self.assert_clean({path: "try { f(); } catch (...) {}\n"}, allow.format("library throws"))
        self.assert_only({path: "try {\n"}, "no reason given", allow=allow.format(""))
        self.assert_only({path: "int x;\n"}, "no longer needed", allow=allow.format("x"))


class Text(Style):
    def test_lines(self):
        for text, part in (
            ("int x; \n", "white space at the end"),
            ("\tint x;\n", "a tab"),
            ("// \u00b5s\n", "not ASCII"),
            ("// " + "x" * 98 + "\n", "101 columns"),
            ("int x;", "no line break at the end"),
        ):
            with self.subTest(part):
                self.assert_only({"src/millrace/engine/a.cc": text}, "a.cc:1:", part)

    def test_exceptions(self):
        self.assert_clean({
            "Makefile": "all:\n\techo\n",
            "docs/a.md": "\u00b5s " + "x" * 200 + "\n",
            "src/millrace/engine/a.cc": "// https://example.org/" + "x" * 100 + "\n",
            "tests/fixtures/a.cc": "\t \u00b5\n",
        })

    def test_marks(self):
        self.assert_code("// TODO: later", "TODO without an issue")
        self.assert_code("// FIXME(#3)", "FIXME")
        self.assert_code_clean("// TODO(#12): later")

    def test_blob(self):
        errors = run({"docs/a.bin": "x" * ((1 << 20) + 1)}, in_git=True)
        self.assertEqual(1, len(errors), errors)
        self.assertIn("above 1 MiB", errors[0])


class Structure(Style):
    def test_header(self):
        use = {"src/millrace/engine/b.cc": '#include "millrace/engine/a.h"\n'}
        path = "src/millrace/engine/a.h"
        self.assert_clean(use | {path: "#pragma once\n"})
        self.assert_only(use | {path: "int x;\n"}, "no #pragma once")
        self.assert_only(use | {path: "#pragma once\nusing namespace std;\n"},
                         "using namespace in a header")

    def test_own_header_first(self):
        header = {"src/millrace/engine/a.h": "#pragma once\n"}
        source = "src/millrace/engine/a.cc"
        own = '#include "millrace/engine/a.h"\n'
        self.assert_clean(header | {source: own + "#include <vector>\n"})
        self.assert_only(header | {source: "#include <vector>\n" + own}, "first include must be")
        self.assert_clean({"bench/a.h": "#pragma once\n", "bench/a.cc": '#include "a.h"\n',
                           "bench/CMakeLists.txt": "a.cc\n"})

    def test_names(self):
        self.assert_code("class TaskManager {};", "'TaskManager'", "name the concept")
        self.assert_code("struct StringUtils;", "'StringUtils'")
        self.assert_code("namespace json_helpers {}", "'json_helpers'")
        self.assert_only({"src/millrace/engine/string_util.cc": "int x;\n"}, "util in a name")
        self.assert_code_clean("struct Utilisation; struct CommonsTable; struct Helpful;")

    def test_targets(self):
        path = "src/millrace/engine/window/a.cc"
        comment = {"src/millrace/engine/window/CMakeLists.txt": "# a.cc\n"}
        self.assert_only(comment | {path: "int x;\n"}, "in no CMake target")
        self.assert_clean({path: "int x;\n", "src/millrace/engine/window/CMakeLists.txt": "\n",
                           "src/millrace/engine/CMakeLists.txt": "f(SOURCES window/a.cc)\n"})
        self.assert_only({"src/millrace/engine/a.h": "#pragma once\n"}, "no file includes it")

    def test_readme(self):
        self.assert_only({"src/millrace/data/a.cc": "int x;\n"}, "data/README.md:1: missing")


if __name__ == "__main__":
    unittest.main()

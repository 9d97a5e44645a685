"""The tables of tools/check_style.py: sizes, banned words and what to write instead."""

import dataclasses
import re

HEADER_LINES = 350
SOURCE_LINES = 600
TEST_LINES = 600
FUNCTION_LINES = 70
COLUMNS = 100
BLOB_BYTES = 1 << 20

BANNED_NAME_WORDS = ("Util", "Utils", "Helper", "Helpers", "Common", "Manager")


@dataclasses.dataclass
class Ban:
    """A pattern that may not occur in code (comments and strings are blanked first)."""

    rule: str
    pattern: str
    instead: str
    # Beginnings of paths below src/millrace that may use it.
    where: tuple = ()
    # Whether tests and benchmarks must keep to it as well.
    in_tests: bool = False

    def __post_init__(self):
        self.regex = re.compile(self.pattern)


def _call(names):
    """A call of a free function: name(arg or ::name(, not x.name(, x::name( nor name()."""
    return rf"(?<![\w.>:])(?:::\s*)?(?:{names})\s*\(\s*[^)\s]"


BANS = (
    Ban("throw", r"\bthrow\b", "return an Error (base/result.h)", in_tests=True),
    Ban("catch", r"\b(?:catch\s*\(|try\s*\{)",
        "return an Error; an adapter around a library that throws gets an entry in "
        "tools/style_allow.toml"),
    Ban("thread", r"\bstd\s*::\s*(?:jthread|thread|async)\b|\bpthread_create\b",
        "base/thread.h", where=("base/thread", "base/large_stack_thread")),
    Ban("detach", r"\bdetach\s*\(\s*\)", "join the thread in its owner (base/thread.h)",
        in_tests=True),
    Ban("sleep", r"\b(?:sleep_for|sleep_until|usleep|nanosleep)\b|" + _call("sleep"),
        "wait on a CondVar or the Clock", where=("base/thread", "base/clock"), in_tests=True),
    Ban("clock", r"\b(?:system_clock|steady_clock|high_resolution_clock|gettimeofday|"
        r"clock_gettime)\b|(?<![\w.>])time\s*\(\s*(?:nullptr|NULL|0)\s*\)",
        "take a Clock (base/clock.h)", where=("base/clock",)),
    Ban("random", r"(?<![\w.>])s?rand\s*\(|\b(?:random_device|mt19937(?:_64)?|minstd_rand0?|"
        r"default_random_engine|drand48|getrandom)\b",
        "take an Rng with a seed (base/rng.h)", where=("base/rng",), in_tests=True),
    Ban("getenv", r"\b(?:secure_)?getenv\s*\(|\bsetenv\s*\(",
        "declare an option (base/options.h)", where=("base/options",)),
    Ban("print", r"\bstd\s*::\s*(?:cout|cerr|clog)\b|\bfmt\s*::\s*print\w*\s*\(|"
        r"(?<![\w.>])(?:v?f?printf|puts|fputs|putchar|perror)\s*\(",
        "MR_LOG, or do it in cli/", where=("cli/", "base/check", "base/log")),
    Ban("dynamic_cast", r"\bdynamic_cast\b", "a virtual function, a variant or an enum kind"),
    Ban("new", r"\bnew\b(?!\s*\()", "std::make_unique, or std::unique_ptr<T>(new T(...)) where "
        "the constructor is private", in_tests=True),
    Ban("delete", r"\bdelete\b", "an owner: std::unique_ptr, or a holder for a C handle",
        in_tests=True),
    Ban("mutex", r"\bstd\s*::\s*(?:recursive_|shared_|timed_|recursive_timed_|shared_timed_)?"
        r"(?:mutex|lock_guard|unique_lock|scoped_lock|shared_lock|condition_variable(?:_any)?|"
        r"call_once|once_flag)\b",
        "Mutex, MutexLock, CondVar (base/mutex.h), which clang checks", where=("base/mutex.h",)),
    Ban("file", _call("open|openat|creat|pread|pwrite|preadv|pwritev|pwritev2|fsync|fdatasync|"
                      "syncfs|sync_file_range|fallocate|posix_fallocate|ftruncate|truncate|rename|"
                      "renameat|unlink|unlinkat|mkdir|rmdir|opendir|readdir|fopen|mkstemp|mmap")
        + r"|\bstd\s*::\s*(?:filesystem|[io]?fstream|rename|fopen|tmpfile)\b",
        "a FileSystem (base/file_system.h)",
        where=("base/posix_file_system", "base/large_stack_thread")),
)

# Third-party and generated texts: only their size in git is looked at.
FREE_TEXT = re.compile(
    r"(^|/)(fixtures|corpus|testdata|third_party|node_modules)/|^LICENSE$|\.(svg|patch|lock)$|"
    r"(^|/)package-lock\.json$")
TEXT_SUFFIXES = (
    ".h", ".cc", ".inc", ".cmake", ".py", ".sh", ".toml", ".json", ".yaml", ".yml", ".sql",
    ".test", ".md", ".txt", ".js", ".ts", ".tsx", ".css", ".html", ".tf", ".proto")
TEXT_NAMES = ("Makefile", "CMakeLists.txt", "Dockerfile", ".clang-format", ".clang-tidy",
              ".gitignore", ".editorconfig")
# Tabs mean something in these, or are data.
TABS_ALLOWED = ("Makefile", ".md", ".test", ".txt")
# Kept to COLUMNS and to ASCII.
CODE_SUFFIXES = (".h", ".cc", ".inc", ".py", ".cmake")

"""A throw-away project with planted files, to run a checker over."""

import contextlib
import importlib
import pathlib
import shutil
import sys
import tempfile

TOOLS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOOLS))


class Project:
    def __init__(self, root):
        self.root = root
        (root / "tools").mkdir()
        shutil.copy(TOOLS / "layers.toml", root / "tools")
        self.write("tools/style_allow.toml", "")

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def run(self, checker):
        """The errors of a checker (check_layers or check_style)."""
        return importlib.import_module(checker).check(self.root)[0]


@contextlib.contextmanager
def project():
    with tempfile.TemporaryDirectory() as folder:
        yield Project(pathlib.Path(folder))

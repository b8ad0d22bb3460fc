"""Files and loops have meaningful names, and no file contains a path of the developer's machine."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.checks.source import PACKAGES, ROOT, modules

_MEANINGLESS = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}
_GENERATED_PATHS = {"snapshot_report.html", "node_modules", "build", "dist", "__pycache__"}
_DEVELOPER_PATH = re.compile(r"(?<![\w.:/-])/(work|tmp/plan)/")
_TEXT = {".py", ".md", ".toml", ".cfg", ".ini", ".json", ".tcss", ".html", ".js", ".css", ".svg"}
_TEXT |= {"", ".mako", ".service", ".txt", ".yml", ".yaml"}


def test_no_file_has_a_meaningless_name():
    """A name such as `utils` says nothing about what a file contains."""
    vague = [
        module.path for module in modules(*PACKAGES, "tests") if set(_words(module)) & _MEANINGLESS
    ]
    assert vague == []


def test_each_loop_variable_has_a_meaningful_name():
    """`for agent in agents` can be read alone; `for one in agents` cannot."""
    vague = [
        f"{module.path}:{node.target.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension)
        and any(isinstance(part, ast.Name) and part.id == "one" for part in ast.walk(node.target))
    ]
    assert vague == []


def test_no_file_contains_a_path_of_the_developers_machine():
    """The product must work in any folder to which it is cloned."""
    lines = [
        f"{path}:{number}"
        for path in _texts()
        for number, line in enumerate((ROOT / path).read_text("utf-8").splitlines(), 1)
        if _DEVELOPER_PATH.search(line)
    ]
    assert lines == []


def _words(module) -> Iterator[str]:
    yield from module.path.removesuffix(".py").replace("_", "/").split("/")
    yield module.name


def _texts() -> Iterator[Path]:
    for path in sorted(ROOT.rglob("*")):
        inside = path.relative_to(ROOT)
        hidden = any(part.startswith(".") and part != ".ci" for part in inside.parts)
        ours = not hidden and not _GENERATED_PATHS & set(inside.parts)
        if ours and path.suffix in _TEXT and path.is_file():
            yield inside

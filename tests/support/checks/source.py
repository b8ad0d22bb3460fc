"""The product's source as syntax trees, for the tests of its architecture.

Owns: walking the packages and resolving names to dotted names.
Never: importing the source.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGES = ("server", "approver_tui", "sayso")


@dataclass(frozen=True)
class Module:
    """A Python file: its path relative to the root, its text and its tree."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree of the text."""
        return ast.parse(self.text)

    @property
    def name(self) -> str:
        """The name of the file without its suffix."""
        return Path(self.path).stem


def modules(*folders: str) -> list[Module]:
    """Return all Python files in these folders of the repository, by default in all packages."""
    return [
        _read(path)
        for folder in folders or PACKAGES
        for path in sorted((ROOT / folder).rglob("*.py"))
    ]


@cache
def uses(tree: ast.AST) -> list[tuple[int, str]]:
    """Return (line, dotted name) of all names that are imported or used through an import.

    `import datetime as dt` followed by `dt.datetime.now()` yields `datetime.datetime.now`.
    """
    imports = list(_imports(tree))
    names = {bound: dotted for _, bound, dotted in imports}
    used = [(line, dotted) for line, _, dotted in imports]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (dotted := dotted_name(node)):
            first, _, rest = dotted.partition(".")
            if first in names:
                used.append((node.lineno, f"{names[first]}.{rest}"))
    return used


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Yield each call with the last part of the called name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, last_name(node.func)


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """Return the value of a keyword argument, or None."""
    return next((argument.value for argument in call.keywords if argument.arg == name), None)


def last_name(node: ast.expr) -> str:
    """Return `Label` for `Label` and `widgets.Label`, and "" for an expression without a name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def dotted_name(node: ast.expr) -> str:
    """Return `a.b.c` for attributes of a plain name, and "" for other expressions."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted_name(node.value)):
        return f"{before}.{node.attr}"
    return ""


def _imports(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Yield (line, bound name, dotted name that it refers to)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                yield node.lineno, bound, alias.name if alias.asname else bound
                yield node.lineno, "", alias.name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node.lineno, alias.asname or alias.name, f"{node.module}.{alias.name}"


@cache
def _read(path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    return Module(path.relative_to(ROOT).as_posix(), text)

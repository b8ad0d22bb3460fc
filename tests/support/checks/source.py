"""The product's own source, read as trees by the tests that guard its shape.

Owns: walking the packages and resolving a name to the dotted thing that it stands for.
Never: imports what it reads.
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
    """One Python file: its path from the root with slashes, its text and its tree."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """What the text says."""
        return ast.parse(self.text)

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return Path(self.path).stem


def modules(*folders: str) -> list[Module]:
    """Answer every Python file under these folders of the repository, all packages by default."""
    return [
        _read(path)
        for folder in folders or PACKAGES
        for path in sorted((ROOT / folder).rglob("*.py"))
    ]


@cache
def uses(tree: ast.AST) -> list[tuple[int, str]]:
    """Answer (line, dotted name) of what is imported or reached through an import.

    `import datetime as dt` followed by `dt.datetime.now()` yields `datetime.datetime.now`.
    """
    imports = list(_imports(tree))
    names = {bound: meant for _, bound, meant in imports}
    found = [(line, meant) for line, _, meant in imports]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (dotted := dotted_name(node)):
            first, _, rest = dotted.partition(".")
            if first in names:
                found.append((node.lineno, f"{names[first]}.{rest}"))
    return found


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Yield each call with the last part of the name that it calls."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, last_name(node.func)


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """Answer the value of a keyword argument, or nothing."""
    return next((given.value for given in call.keywords if given.arg == name), None)


def last_name(node: ast.expr) -> str:
    """Answer `Label` for `Label` and for `widgets.Label`, and nothing for what has no name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def dotted_name(node: ast.expr) -> str:
    """Answer `a.b.c` for plain attributes of a plain name, and nothing for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted_name(node.value)):
        return f"{before}.{node.attr}"
    return ""


def _imports(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Yield (line, name bound here, dotted thing it stands for)."""
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

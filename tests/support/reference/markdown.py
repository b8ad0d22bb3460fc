"""Markdown tables and code, and the docstrings below the members of a class."""

import ast
import inspect
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import pairwise

from tests.support.checks.source import PACKAGES

GENERATED = "<!-- Written by scripts/reference from the code. Do not edit. -->\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table, or an empty string if there are no rows."""
    lines = [f"| {' | '.join(map(cell, row))} |" for row in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(head)} |", "|" + "---|" * len(head), *lines]) + "\n"


def cell(text: str) -> str:
    """Return the text as one line with pipes escaped."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str) -> str:
    """Return the text as code, or an empty string for an empty text."""
    return f"`{text}`" if text else ""


def member_docs(described: type) -> Mapping[str, str]:
    """Return the docstring below each member of a class and of its bases."""
    found: dict[str, str] = {}
    for base in reversed(described.__mro__):
        if base.__module__.split(".")[0] in PACKAGES:
            found |= _docs(_bodies(base.__module__).get(base.__name__, []))
    return found


@cache
def _bodies(module: str) -> Mapping[str, list[ast.stmt]]:
    """Return the statements of each class of a module."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: node.body for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


def _docs(body: list[ast.stmt]) -> dict[str, str]:
    pairs = pairwise(body)
    return {name: text for first, second in pairs for name, text in _doc_of(first, second)}


def _doc_of(first: ast.stmt, second: ast.stmt) -> Iterable[tuple[str, str]]:
    targets = first.targets if isinstance(first, ast.Assign) else [getattr(first, "target", None)]
    value = second.value if isinstance(second, ast.Expr) else None
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        text = " ".join(value.value.split())
        yield from ((target.id, text) for target in targets if isinstance(target, ast.Name))

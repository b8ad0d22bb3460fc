"""Markdown tables and code, and the docstrings below the members of a class."""

import ast
import inspect
import textwrap
from collections.abc import Iterable, Mapping, Sequence
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
        is_ours = base.__module__.split(".")[0] in PACKAGES
        if is_ours and "[" not in base.__name__:  # pydantic's generic classes have no source
            found |= _docs(base)
    return found


def _docs(described: type) -> dict[str, str]:
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(described))).body
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    pairs = pairwise(body)
    return {name: text for first, second in pairs for name, text in _doc_of(first, second)}


def _doc_of(first: ast.stmt, second: ast.stmt) -> Iterable[tuple[str, str]]:
    targets = first.targets if isinstance(first, ast.Assign) else [getattr(first, "target", None)]
    value = second.value if isinstance(second, ast.Expr) else None
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        text = " ".join(value.value.split())
        yield from ((target.id, text) for target in targets if isinstance(target, ast.Name))

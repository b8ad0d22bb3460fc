"""The table of invariants: its rows, the invariants without a row, and the docstrings of tests.

Owns: reading `docs/invariants.md`. Never: running tests.
"""

import ast
import re
from dataclasses import dataclass
from functools import cache

from tests.support.checks.source import ROOT

ALL = tuple(f"I{number}" for number in range(1, 29))
_ROW = re.compile(r"^\| (I\d+) \| (.+?) \| `([^`]+)` \| `([^`]+)` \|$", re.MULTILINE)
_ROW_ID = re.compile(r"^\| (I\d+)\b", re.MULTILINE)
_ITEM_WITHOUT_ROW = re.compile(r"^- (I\d+), (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Row:
    """An invariant, the test that checks it, and the test that shows that the check can fail."""

    id: str
    invariant: str
    test: str
    failure_test: str


def _page() -> str:
    return (ROOT / "docs" / "invariants.md").read_text("utf-8")


def rows() -> list[Row]:
    """All rows of the table."""
    return [Row(*cells) for cells in _ROW.findall(_page())]


def row_ids() -> list[str]:
    """The ids at the start of table lines, even if a line cannot be parsed."""
    return _ROW_ID.findall(_page())


def without() -> dict[str, str]:
    """The invariants without a row, with the reason."""
    return dict(_ITEM_WITHOUT_ROW.findall(_page()))


def docstring_of(test: str) -> str:
    """The docstring of a test (`path::name`); "" if there is no such test."""
    path, _, name = test.partition("::")
    return _tests(path).get(name, "")


@cache
def _tests(path: str) -> dict[str, str]:
    if not (ROOT / path).is_file():
        return {}
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        node.name: ast.get_docstring(node) or ""
        for node in tree.body
        if isinstance(node, functions)
    }

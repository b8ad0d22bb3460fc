"""The table of invariants: its rows, what has none, and what a test says of itself.

Owns: reading `docs/invariants.md`. Never: runs a test.
"""

import ast
import re
from dataclasses import dataclass
from functools import cache

from tests.support.checks.source import ROOT

ALL = tuple(f"I{number}" for number in range(1, 29))
_ROW = re.compile(r"^\| (I\d+) \| (.+?) \| `([^`]+)` \| `([^`]+)` \|$", re.MULTILINE)
_BEGINS_A_ROW = re.compile(r"^\| (I\d+)\b", re.MULTILINE)
_WITHOUT = re.compile(r"^- (I\d+), (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Row:
    """One invariant, the test that tries to break it, and the one that shows it able to fail."""

    id: str
    invariant: str
    tried_by: str
    shown_by: str


def _page() -> str:
    return (ROOT / "docs" / "invariants.md").read_text("utf-8")


def rows() -> list[Row]:
    """Every row of the table."""
    return [Row(*found) for found in _ROW.findall(_page())]


def begun() -> list[str]:
    """The ids with which a line of a table begins, readable or not."""
    return _BEGINS_A_ROW.findall(_page())


def without() -> dict[str, str]:
    """The invariants that have no row, and why."""
    return dict(_WITHOUT.findall(_page()))


def words(test: str) -> str:
    """What the named test, `path::name`, says of itself; "" when there is no such test."""
    path, _, name = test.partition("::")
    return _tests(path).get(name, "")


@cache
def _tests(path: str) -> dict[str, str]:
    if not (ROOT / path).is_file():
        return {}
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    made = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        node.name: ast.get_docstring(node) or "" for node in tree.body if isinstance(node, made)
    }

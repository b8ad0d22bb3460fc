"""Numbered requirements of specifications: which the protocol page lists, and which tests name.

Owns: reading the tables of `docs/reference/protocol.md`, and the numbers in the text and tables of
tests.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.support.checks.source import ROOT
from tests.support.checks.spec_ids import WALKED

_KINDS = "FC|CB|TX|AT|RI|DG|IN|RV|MD|DP|JB|RA|DC|CI|PR|SU|BC|MC|ID|TT|OB|XD|WP|CL|NG"
_LINE = rf"(?:FC-A\d\d|(?:{_KINDS})-\d{{2,3}})"
LINE = re.compile(rf"\b{_LINE}\b")
_RANGE = re.compile(rf"\b((?:{_KINDS})-A?)(\d{{2,3}}) to (?:{_KINDS})-A?(\d{{2,3}})\b")
_ROW = re.compile(rf"^\| ({_LINE}) \| (.+?) \| `([^`]+)` \| `([^`]+)` \|$", re.MULTILINE)
_IN_A_TABLE = re.compile(rf"^\| ({_LINE})\b.*$", re.MULTILINE)
_HEADINGS = ("Not yet", "Not applicable")


@dataclass(frozen=True, slots=True)
class Row:
    """A numbered requirement, the module that implements it, and its test."""

    line: str
    requirement: str
    implemented_in: str
    test: str


def page() -> str:
    """The text of the protocol page."""
    return (ROOT / "docs" / "reference" / "protocol.md").read_text("utf-8")


def rows() -> list[Row]:
    """All rows of the tables of requirements."""
    return [Row(*cells) for cells in _ROW.findall(page())]


def broken_rows() -> list[str]:
    """The rows that start with a number and that `rows` cannot parse."""
    parsed = {row.line for row in rows()}
    return [match[0] for match in _IN_A_TABLE.finditer(page()) if match[1] not in parsed]


def all_lines() -> list[str]:
    """The numbers of all requirements."""
    return _expand(" ".join(WALKED.split()))


def reasons() -> dict[str, list[str]]:
    """The numbers outside the tables, by the sentence before them."""
    return {
        item.rpartition(": ")[0]: _expand(item.rpartition(": ")[2])
        for heading in _HEADINGS
        for item in _items(heading)
    }


def missing() -> list[str]:
    """The numbers that the page lists as not implemented yet."""
    return _numbers_under("Not yet")


def not_applicable() -> list[str]:
    """The numbers that the page lists as not applicable."""
    return _numbers_under("Not applicable")


def _numbers_under(heading: str) -> list[str]:
    return [line for item in _items(heading) for line in _expand(item)]


def _items(heading: str) -> list[str]:
    _, _, rest = page().partition(f"### {heading}\n")
    return re.findall(r"^- (.+)$", re.split(r"\n##", rest)[0], re.MULTILINE)


@cache
def tests_of(path: str) -> Mapping[str, frozenset[str]]:
    """Map each test of a file (`name` or `Class::name`) to the numbers that it names."""
    text = (ROOT / path).read_text("utf-8")
    tree, source = ast.parse(text), text.splitlines()
    tables = dict(_module_level(tree, source))
    return {name: _numbers_in(node, source, tables) for name, node in _tests(tree)}


def all_tests() -> Iterator[tuple[str, frozenset[str]]]:
    """Yield all tests, as `path::name`, with the numbers that they name."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        name = path.relative_to(ROOT).as_posix()
        if "node_modules" not in name and not name.startswith("tests/architecture/"):
            yield from ((f"{name}::{test}", lines) for test, lines in tests_of(name).items())


def _expand(text: str) -> list[str]:
    """Find all numbers in a text. `CB-091 to CB-097` stands for seven numbers."""
    expanded = _RANGE.sub(_expand_range, text)
    return LINE.findall(expanded)


def _expand_range(match: re.Match[str]) -> str:
    kind, first, last = match.groups()
    numbers = range(int(first), int(last) + 1)
    return " ".join(f"{kind}{number:0{len(first)}d}" for number in numbers)


def _tests(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        for function in inner:
            if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
                yield prefix + function.name, function


def _lines(node: ast.stmt | ast.expr, source: Sequence[str]) -> str:
    """The full source lines of a node."""
    return "\n".join(source[node.lineno - 1 : node.end_lineno])


def _module_level(tree: ast.Module, source: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The source of the tables and helpers of a test file, by name."""
    for node in tree.body:
        lines = _lines(node, source)
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("test_"):
            yield node.name, lines
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        yield from ((target.id, lines) for target in targets if isinstance(target, ast.Name))


def _numbers_in(
    node: ast.FunctionDef, source: Sequence[str], tables: Mapping[str, str]
) -> frozenset[str]:
    parts = [_lines(node, source), *(_lines(part, source) for part in node.decorator_list)]
    used = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    parts += [lines for name, lines in tables.items() if name in used]
    return frozenset(_expand("\n".join(parts)))


def exists(path: str) -> bool:
    """Return whether this file exists."""
    return Path(ROOT / path).is_file()

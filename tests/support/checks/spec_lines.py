"""The lines of specifications: which of them the protocol page lists, and which the tests name.

Owns: reading the tables of `docs/reference/protocol.md`, and the numbers in a test's words and
tables.
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
    """One line: its requirement, the module that implements it, and its test."""

    line: str
    requirement: str
    implemented_in: str
    test: str


def page() -> str:
    """The protocol page."""
    return (ROOT / "docs" / "reference" / "protocol.md").read_text("utf-8")


def rows() -> list[Row]:
    """Every row of the tables of lines."""
    return [Row(*found) for found in _ROW.findall(page())]


def broken_rows() -> list[str]:
    """Rows that start with a line and that `rows` cannot read."""
    good = {row.line for row in rows()}
    return [found[0] for found in _IN_A_TABLE.finditer(page()) if found[1] not in good]


def walked() -> list[str]:
    """The numbers of all lines."""
    return _spelled(" ".join(WALKED.split()))


def reasons() -> dict[str, list[str]]:
    """The lines outside the tables, by the sentence before them."""
    return {
        item.rpartition(": ")[0]: _spelled(item.rpartition(": ")[2])
        for heading in _HEADINGS
        for item in _items(heading)
    }


def missing() -> list[str]:
    """The lines that the page lists as not implemented yet."""
    return _listed("Not yet")


def foreign() -> list[str]:
    """The lines that the page lists as not applicable."""
    return _listed("Not applicable")


def _listed(heading: str) -> list[str]:
    return [line for item in _items(heading) for line in _spelled(item)]


def _items(heading: str) -> list[str]:
    _, _, rest = page().partition(f"### {heading}\n")
    return re.findall(r"^- (.+)$", re.split(r"\n##", rest)[0], re.MULTILINE)


@cache
def tests_of(path: str) -> Mapping[str, frozenset[str]]:
    """Each test of a file (`name` or `Class::name`), and the lines that it names."""
    text = (ROOT / path).read_text("utf-8")
    tree, source = ast.parse(text), text.splitlines()
    tables = dict(_module_level(tree, source))
    return {name: _named(node, source, tables) for name, node in _tests(tree)}


def all_tests() -> Iterator[tuple[str, frozenset[str]]]:
    """Every test that there is, as `path::name`, with the lines that it names."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        place = path.relative_to(ROOT).as_posix()
        if "node_modules" not in place and not place.startswith("tests/architecture/"):
            yield from ((f"{place}::{name}", lines) for name, lines in tests_of(place).items())


def _spelled(text: str) -> list[str]:
    """`CB-091 to CB-097` names seven lines."""
    whole = _RANGE.sub(_every, text)
    return LINE.findall(whole)


def _every(found: re.Match[str]) -> str:
    kind, first, last = found.groups()
    numbers = range(int(first), int(last) + 1)
    return " ".join(f"{kind}{number:0{len(first)}d}" for number in numbers)


def _tests(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        for one in inner:
            if isinstance(one, ast.FunctionDef) and one.name.startswith("test_"):
                yield prefix + one.name, one


def _lines(node: ast.stmt | ast.expr, source: Sequence[str]) -> str:
    """The whole lines on which it stands."""
    return "\n".join(source[node.lineno - 1 : node.end_lineno])


def _module_level(tree: ast.Module, source: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Tables and helpers of a test file, by name."""
    for node in tree.body:
        lines = _lines(node, source)
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("test_"):
            yield node.name, lines
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        yield from ((one.id, lines) for one in targets if isinstance(one, ast.Name))


def _named(
    node: ast.FunctionDef, source: Sequence[str], tables: Mapping[str, str]
) -> frozenset[str]:
    parts = [_lines(node, source), *(_lines(part, source) for part in node.decorator_list)]
    used = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    parts += [lines for name, lines in tables.items() if name in used]
    return frozenset(_spelled("\n".join(parts)))


def exists(path: str) -> bool:
    """Reports whether this file is there."""
    return Path(ROOT / path).is_file()

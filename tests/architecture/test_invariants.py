"""The table of invariants and the tests agree, and every planted fault is used."""

import re

from tests.support.checks import invariants
from tests.support.checks.planted import FAULTS
from tests.support.checks.source import ROOT

_SEED = re.compile(r'^    "(\w+)": _\w+,$', re.MULTILINE)


def test_each_invariant_is_listed_once():
    """Each is in the table, or below it with a reason; and each row can be parsed."""
    listed_names = [row.id for row in invariants.rows()]
    assert invariants.row_ids() == listed_names
    assert sorted([*listed_names, *invariants.without()]) == sorted(invariants.ALL)


def test_each_invariant_without_a_row_has_a_reason():
    """The reason has at least six words."""
    assert [
        invariant for invariant, why in invariants.without().items() if len(why.split()) < 6
    ] == []


def test_each_invariant_has_a_test_and_a_proof_that_it_can_fail():
    """Each row has two different tests, which exist and name the invariant."""
    wrong = [
        f"{row.id}: {test}"
        for row in invariants.rows()
        for test in (row.test, row.failure_test)
        if row.id not in re.findall(r"\bI\d+\b", invariants.docstring_of(test))
    ]
    assert wrong == []
    assert [row.id for row in invariants.rows() if row.test == row.failure_test] == []


def test_every_seeded_fault_is_used():
    """A fault that no test plants proves nothing."""
    seeds = _SEED.findall((ROOT / "tests" / "support" / "checks" / "seeded.py").read_text("utf-8"))
    paths = [
        path for path in (ROOT / "tests").rglob("test_*.py") if "node_modules" not in str(path)
    ]
    source = "\n".join(path.read_text("utf-8") for path in paths)
    assert len(seeds) > 10
    assert [seed for seed in seeds if f'"{seed}"' not in source] == []


def test_each_single_line_fault_can_be_planted_and_is_listed():
    """The line of a fault occurs once, its test exists, and the page names both."""
    page = (ROOT / "docs" / "invariants.md").read_text("utf-8")
    for name, fault in FAULTS.items():
        assert (ROOT / fault.path).read_text("utf-8").count(fault.line) == 1, name
        assert invariants.docstring_of(fault.noticed_by), name
        assert f"| {name} | {fault.invariant} | `{fault.path}` | `{fault.noticed_by}` |" in page

"""Each fault in the table is detected by the test that the table names."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

import pytest

from tests.support.checks.planted import FAULTS, RESULTS_VARIABLE, ROOT

_Noticed = Mapping[str, Sequence[str]]


@pytest.fixture(scope="module")
def failures_by_fault(tmp_path_factory: pytest.TempPathFactory) -> _Noticed:
    """The tests that failed, by fault ("" for none). All run in one separate process."""
    report_file = tmp_path_factory.mktemp("planted") / "told"
    tests = sorted({fault.noticed_by for fault in FAULTS.values()})
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.support.checks.planting"]
    result = subprocess.run(  # our own tests
        [*command, "-p", "no:cacheprovider", "-p", "no:randomly", *tests],
        cwd=ROOT,
        env={**os.environ, RESULTS_VARIABLE: str(report_file)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-2_000:] + result.stderr[-2_000:]
    failures: _Noticed = json.loads(report_file.read_text("utf-8"))
    return failures


def test_the_named_tests_pass_without_a_fault(failures_by_fault: _Noticed) -> None:
    """A test that passes without a fault fails below only because of the fault."""
    assert failures_by_fault[""] == []


@pytest.mark.parametrize("name", FAULTS)
def test_the_named_test_detects_the_fault(failures_by_fault: _Noticed, name: str) -> None:
    """The fault is in the line that the test covers."""
    assert failures_by_fault[name]

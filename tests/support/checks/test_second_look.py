"""A few failed tests are retried once, alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checks.second_look import FEW_FILES, NEVER_RETRIED
from tests.support.checks.source import ROOT

_PASSES_THE_SECOND_TIME = """
from pathlib import Path
import pytest

@pytest.mark.parametrize("number", range(2))
def test_it(number) -> None:
    marker = Path(f"{__file__}{number}")
    is_first, _ = not marker.exists(), marker.touch()
    assert not is_first
"""
_ONLY_XDIST = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "xdist.plugin"}
_TWO_AT_A_TIME = ("-n", "2", "--dist", "loadfile")
_NEVER_PASSES = "def test_it():\n    assert False\n"


def _run(folder: Path, tests: str, *paths: str) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text("[pytest]\n", "utf-8")
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(tests, "utf-8")
    return subprocess.run(
        [sys.executable, "-m", "tests.support.checks.second_look", *_TWO_AT_A_TIME, *paths],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **_ONLY_XDIST},
        capture_output=True,
        text=True,
        check=False,
    )


def _files(count: int) -> list[str]:
    return [f"test_{number}.py" for number in range(count)]


@pytest.mark.parametrize("count", [1, FEW_FILES])
def test_a_few_files_that_pass_when_retried_pass_and_are_reported(
    tmp_path: Path, count: int
) -> None:
    """The output names the tests that are retried."""
    process = _run(tmp_path, _PASSES_THE_SECOND_TIME, *_files(count))
    assert process.returncode == 0, process.stdout
    assert "FAILED. Retrying once, alone" in process.stderr
    assert process.stderr.count(".py::test_it[") == 2 * count


def test_failures_in_more_files_are_not_retried(tmp_path: Path) -> None:
    """These tests would pass if they were retried."""
    process = _run(tmp_path, _PASSES_THE_SECOND_TIME, *_files(FEW_FILES + 1))
    assert process.returncode == 1
    assert "FAILED. Retrying once, alone" not in process.stderr


@pytest.mark.parametrize("path", NEVER_RETRIED)
def test_tests_that_must_always_pass_are_not_retried(tmp_path: Path, path: str) -> None:
    """Lost answers, second tokens or revoked tokens must never occur, so a retry proves nothing."""
    assert (ROOT / path).is_file()
    process = _run(tmp_path, _PASSES_THE_SECOND_TIME, path)
    assert process.returncode == 1
    assert "FAILED. Retrying once" not in process.stderr


@pytest.mark.parametrize("tests", [_NEVER_PASSES, "import nothing_of_this_name\n"])
def test_a_test_that_fails_twice_has_failed(tmp_path: Path, tests: str) -> None:
    """The run fails after a second failure, and if a test file cannot be imported."""
    process = _run(tmp_path, tests, "test_it.py")
    assert process.returncode not in (0, 5)
    assert "FAILED. Retrying once, alone" in process.stderr

"""The second look at tests that failed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checks.second_look import FEW_FILES, NEVER_TWICE
from tests.support.checks.source import ROOT

_PASSES_THE_SECOND_TIME = """
from pathlib import Path
import pytest

@pytest.mark.parametrize("number", range(2))
def test_it(number) -> None:
    been = Path(f"{__file__}{number}")
    is_first, _ = not been.exists(), been.touch()
    assert not is_first
"""
_ONLY_XDIST = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "xdist.plugin"}
_TWO_AT_A_TIME = ("-n", "2", "--dist", "loadfile")
_NEVER_PASSES = "def test_it():\n    assert False\n"


def _run(folder: Path, tests: str, *places: str) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text("[pytest]\n", "utf-8")
    for place in places:
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(tests, "utf-8")
    return subprocess.run(
        [sys.executable, "-m", "tests.support.checks.second_look", *_TWO_AT_A_TIME, *places],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **_ONLY_XDIST},
        capture_output=True,
        text=True,
        check=False,
    )


def _files(count: int) -> list[str]:
    return [f"test_{number}.py" for number in range(count)]


@pytest.mark.parametrize("count", [1, FEW_FILES])
def test_a_few_files_that_pass_alone_pass_and_are_named(tmp_path: Path, count: int) -> None:
    """Nothing is hidden: the first lines of the second look name them."""
    ended = _run(tmp_path, _PASSES_THE_SECOND_TIME, *_files(count))
    assert ended.returncode == 0, ended.stdout
    assert "FAILED, and now once more, alone" in ended.stderr
    assert ended.stderr.count(".py::test_it[") == 2 * count


def test_more_files_fail_at_once(tmp_path: Path) -> None:
    """They would pass alone, and are not asked."""
    ended = _run(tmp_path, _PASSES_THE_SECOND_TIME, *_files(FEW_FILES + 1))
    assert ended.returncode == 1
    assert "FAILED, and now once more, alone" not in ended.stderr


@pytest.mark.parametrize("place", NEVER_TWICE)
def test_what_must_never_happen_fails_the_first_time(tmp_path: Path, place: str) -> None:
    """A lost answer, two tokens, a token after its end: that it goes well alone says nothing."""
    assert (ROOT / place).is_file()
    ended = _run(tmp_path, _PASSES_THE_SECOND_TIME, place)
    assert ended.returncode == 1
    assert "FAILED, and now once more" not in ended.stderr


@pytest.mark.parametrize("tests", [_NEVER_PASSES, "import nothing_of_this_name\n"])
def test_what_fails_twice_has_failed(tmp_path: Path, tests: str) -> None:
    """A broken program breaks the run, and so do tests that cannot be read."""
    ended = _run(tmp_path, tests, "test_it.py")
    assert ended.returncode not in (0, 5)
    assert "FAILED, and now once more, alone" in ended.stderr

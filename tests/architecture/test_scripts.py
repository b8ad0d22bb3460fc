"""The scripts that the documentation names exist and describe themselves."""

import os
import re
import shutil
import subprocess

import pytest

from tests.support.checks.source import ROOT

_MAX_LINES = 30
_SCRIPTS = [
    path for path in sorted((ROOT / "scripts").iterdir()) if path.is_file() and path.suffix != ".md"
]


def test_every_script_describes_itself_on_its_second_line():
    """The description is a comment of one sentence."""
    silent = [path.name for path in _SCRIPTS if not re.match(r"# [A-Z].{20,}", _lines(path)[1])]
    assert silent == []


def test_every_script_is_executable_short_and_strict():
    """Each has fewer than thirty lines and stops at the first failure."""
    for path in [*_SCRIPTS, ROOT / ".ci" / "run"]:
        assert os.access(path, os.X_OK), path
        assert len(_lines(path)) < _MAX_LINES, path
        assert "set -euo pipefail" in _lines(path), path


def test_every_script_is_in_the_scripts_readme():
    """`scripts/README.md` has a row for each script."""
    table = (ROOT / "scripts" / "README.md").read_text("utf-8")
    listed_names = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert listed_names == {path.name for path in _SCRIPTS}


def test_every_script_in_the_readme_exists():
    """Readers copy the names of scripts, so each must exist and be executable."""
    named = set(re.findall(r"\b(scripts/\w+)\b", (ROOT / "README.md").read_text("utf-8")))
    assert {"scripts/demo", "scripts/test"} <= named
    assert [name for name in sorted(named) if not os.access(ROOT / name, os.X_OK)] == []


def test_continuous_integration_runs_the_command_in_the_readme():
    """`.ci/run` ends with `scripts/test`, which the README names."""
    steps = [line for line in _lines(ROOT / ".ci" / "run") if line and not line.startswith("#")]
    assert steps[-1] == "exec scripts/test"
    assert [step.split()[0] for step in steps] == ["set", "cd", "exec"]
    assert "\nscripts/test" in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "without", "expected_lines"),
    [
        ((), "", ["the pages in real browsers"]),
        ((), "SAYSO_TEST_WITHOUT_CLIENTS", ["foreign OAuth clients", "the pages in real browsers"]),
        ((), "SAYSO_TEST_WITHOUT_POSTGRESQL", ["everything on", "the pages in real browsers"]),
        (("--quick",), "", ["faults, PostgreSQL, foreign clients and browsers"]),
    ],
)
@pytest.mark.parametrize("ends", [0, 1])
def test_skipped_tests_are_named_again_at_the_end(
    tmp_path, arguments, without, expected_lines, ends
):
    """Skipped tests are named below the long output, whether the run passed or not."""
    script = _copy_test_script(tmp_path, ends)
    result = subprocess.run(
        [script, *arguments],
        env={"PATH": os.environ["PATH"], **({without: "1"} if without else {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == ends
    last = result.stderr.rpartition("everything ran\n")[2].splitlines()
    assert len(last) == len(expected_lines)
    assert all(
        f"NOT TESTED: {what}" in line for line, what in zip(last, expected_lines, strict=True)
    )
    assert all(result.stderr.count(line) == len(("at once", "at the end")) for line in last)


def _copy_test_script(folder, ends):
    """Copies `scripts/test` beside commands that do nothing, as on a machine without a browser."""
    commands = {"scripts/browsers": "exit 1"}
    for name in ("scripts/install", "scripts/clients", "scripts/check", ".venv/bin/pytest"):
        commands[name] = "exit 0"
    commands[".venv/bin/python"] = (
        f'[[ "$2" == *postgres ]] && exit 0; echo "everything ran" >&2; exit {ends}'
    )
    for name, command in commands.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/usr/bin/env bash\n{command}\n")
        path.chmod(0o755)
    return shutil.copy(ROOT / "scripts" / "test", folder / "scripts" / "test")


def _lines(path) -> list[str]:
    return path.read_text("utf-8").splitlines()

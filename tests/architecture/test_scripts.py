"""The commands that documents name exist, and say what they do."""

import os
import re

from tests.support.source import ROOT

_MOST_LINES = 30
_SCRIPTS = [
    path for path in sorted((ROOT / "scripts").iterdir()) if path.is_file() and path.suffix != ".md"
]


def test_every_script_says_on_its_second_line_what_it_does():
    """One sentence, for whoever opens it to find out."""
    silent = [path.name for path in _SCRIPTS if not re.match(r"# [A-Z].{20,}", _lines(path)[1])]
    assert silent == []


def test_every_script_can_be_run_and_read():
    """Executable, under thirty lines, and it stops at the first thing that fails."""
    for path in [*_SCRIPTS, ROOT / ".ci" / "run"]:
        assert os.access(path, os.X_OK), path
        assert len(_lines(path)) < _MOST_LINES, path
        assert "set -euo pipefail" in _lines(path), path


def test_every_script_stands_in_the_scripts_readme():
    """`scripts/README.md` has a row for each."""
    table = (ROOT / "scripts" / "README.md").read_text("utf-8")
    listed = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert listed == {path.name for path in _SCRIPTS}


def test_every_command_in_the_readme_exists():
    """A stranger copies them; each must be there and executable."""
    named = set(re.findall(r"\b(scripts/\w+)\b", (ROOT / "README.md").read_text("utf-8")))
    assert {"scripts/demo", "scripts/test"} <= named
    assert [name for name in sorted(named) if not os.access(ROOT / name, os.X_OK)] == []


def test_continuous_integration_runs_the_command_of_the_readme():
    """What the README tells people to run is what decides; there is no second recipe."""
    steps = [line for line in _lines(ROOT / ".ci" / "run") if line and not line.startswith("#")]
    assert steps[-1] == "exec scripts/test"
    assert [step.split()[0] for step in steps] == ["set", "cd", "exec"]
    assert "\nscripts/test" in (ROOT / "README.md").read_text("utf-8")


def _lines(path) -> list[str]:
    return path.read_text("utf-8").splitlines()

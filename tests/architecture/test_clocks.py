"""The clock and the environment are each read in only a few modules."""

import subprocess
import sys
import tomllib

import pytest

from tests.support.checks.source import ROOT, modules, uses

_CLOCKS = {
    "time.time",
    "time.time_ns",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
}
_MAY_READ_THE_CLOCK = {
    "server/app.py",
    "approver_tui/app.py",
    "approver_tui/wiring.py",
    "approver_tui/settings.py",  # its command line needs the time, and app.py loads Textual
    "sayso/clock.py",  # an agent signs and an API checks with the time of its own machine
}
_ENVIRONMENT = ("os.environ", "os.getenv", "os.putenv")
_MAY_READ_THE_ENVIRONMENT = {
    "server/settings.py",
    "approver_tui/settings.py",
    "sayso/environment.py",  # names the agent that a command of the SDK runs as
    "sayso/gateway/__main__.py",  # the gateway's file names variables that contain secrets
}


def test_only_the_wiring_modules_read_the_clock():
    """Code that reads the clock itself could not be tested with any time."""
    assert _users_of(_CLOCKS.__contains__, besides=_MAY_READ_THE_CLOCK) == []


def test_only_the_settings_modules_read_the_environment():
    """Whatever changes the product's behavior is a documented setting with a name and a default."""
    assert _users_of(_is_environment, besides=_MAY_READ_THE_ENVIRONMENT) == []


@pytest.mark.parametrize(
    "banned",
    [
        "import time\n\ntime.time()\n",
        "from datetime import UTC, datetime\n\ndatetime.now(UTC)\n",
        "import os\n\nos.environ.get('HOME')\n",
        "import os\n\nos.getenv('HOME')\n",
        "import random\n\nrandom.random()\n",
    ],
)
def test_ruff_refuses_other_reads_of_clock_environment_and_random(banned):
    """An editor shows the finding before this test runs."""
    ruff = [sys.executable, "-m", "ruff", "check", "--select", "TID251", "--no-cache"]
    stdin_options = ["--stdin-filename", "server/services/approvals/decisions.py", "-"]
    result = subprocess.run(
        [*ruff, *stdin_options], input=banned, capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert "TID251" in result.stdout


def test_the_exceptions_for_clock_and_environment_are_exactly_these():
    """Ruff's configuration has the same exceptions as this file; no line suppresses the rule."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    per_file = config["tool"]["ruff"]["lint"]["per-file-ignores"]
    excepted = {path for path, codes in per_file.items() if "TID251" in codes}
    assert excepted == _MAY_READ_THE_CLOCK | _MAY_READ_THE_ENVIRONMENT | {"tests/**", "examples/**"}
    assert [module.path for module in modules() if "noqa: TID251" in module.text] == []


def _is_environment(name: str) -> bool:
    return name.startswith(_ENVIRONMENT)


def _users_of(matches, *, besides) -> list[str]:
    return [
        f"{module.path}:{line} {name}"
        for module in modules()
        if module.path not in besides
        for line, name in uses(module.tree)
        if matches(name)
    ]

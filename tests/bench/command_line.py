"""`python -m tests.bench.command_line`: the processor time of commands that read the database."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from tests.bench.table import run, say, verdict
from tests.support.servers.server import ROOT

_RUNS = 5
_BAR_SECONDS = 0.25
_HELP_BAR_SECONDS = 0.15
_HELP = ("-h", "agents -h")
READING = (
    *("agents list", "apps list", "approvals list", "audit tail", "consents list"),
    *("delegations list", "deputies list", "devices list", "grants list", "groups list"),
    *("incidents list", "keys list", "outbox list", "resources list", "users list"),
)
_SQLALCHEMY = "import sqlalchemy; sqlalchemy.create_engine('sqlite://').connect()"


def main() -> None:
    """Each command five times in a new installation; the best one counts."""
    say(f"## Processor time of `sayso`, best of {_RUNS}")
    with tempfile.TemporaryDirectory() as folder:
        _seconds(("-m", "server", "--data-dir", folder, "init"), runs=1)
        rows = [(verb, _of_verb(folder, verb)) for verb in (*_HELP, *READING)]
    say("| command | seconds |\n|---|---|")
    say(f"| only Python, and SQLAlchemy | {_seconds(('-c', _SQLALCHEMY)):.3f} |")
    for verb, seconds in rows:
        say(f"| sayso {verb} | {seconds:.3f} |")
    say("")
    for verb, seconds in rows:
        verdict(
            f"sayso {verb}:", seconds, _HELP_BAR_SECONDS if verb in _HELP else _BAR_SECONDS, " s"
        )


def _of_verb(folder: str, verb: str) -> float:
    return _seconds(("-m", "server", "--data-dir", folder, *verb.split()))


def _seconds(arguments: Sequence[str], *, runs: int = _RUNS) -> float:
    """The least user and system time of a new Python with these arguments."""
    return min(_once(arguments) for _ in range(runs))


def _once(arguments: Sequence[str]) -> float:
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{arguments} ended with {process.returncode}.")
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    run(main)

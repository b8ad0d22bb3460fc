"""`python -m tests.bench.command_line`: the processor time of commands that read the database.

Times depend on the machine and on other work, so the limits are multiples of the time that Python
needs for SQLAlchemy alone, in the same round.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from tests.bench.table import at_most, run, say
from tests.support.servers.server import ROOT

_ROUNDS = 9
_MAX_RATIO = 1.4
"""0.25 s on a quiet machine, where SQLAlchemy alone takes 0.18 s."""
_MAX_HELP_RATIO = 0.8
_HELP = ("-h", "agents -h", "config show")
READING = (
    *("agents list", "apps list", "approvals list", "audit search", "audit tail", "consents list"),
    *("delegations list", "deputies list", "devices list", "grants list", "groups list"),
    *("incidents list", "keys list", "outbox list", "policy show", "resources list", "users list"),
)
_SQLALCHEMY = ("-c", "import sqlalchemy")


def main() -> None:
    """Run each command in a new installation, in turn with importing only SQLAlchemy."""
    say(f"## Processor time of `sayso`, median of {_ROUNDS}")
    with tempfile.TemporaryDirectory() as folder:
        _once(("-m", "server", "--data-dir", folder, "init"))
        rows = {verb: _rounds(folder, verb) for verb in (*_HELP, *READING, "doctor")}
    say("| command | seconds | x SQLAlchemy |\n|---|---|---|")
    for verb, (seconds, ratio) in rows.items():
        say(f"| sayso {verb} | {seconds:.3f} | {ratio:.2f} |")
    say("")
    for verb, (_, ratio) in rows.items():
        max_ratio = _MAX_HELP_RATIO if verb in _HELP else _MAX_RATIO
        at_most(f"sayso {verb}:", ratio, max_ratio, " x SQLAlchemy")


def _rounds(folder: str, verb: str) -> tuple[float, float]:
    """Return the median of the seconds, and of their ratio to those of SQLAlchemy."""
    durations = [
        (_once(("-m", "server", "--data-dir", folder, *verb.split())), _once(_SQLALCHEMY))
        for _ in range(_ROUNDS)
    ]
    return (
        statistics.median(ours for ours, _ in durations),
        statistics.median(ours / yardstick for ours, yardstick in durations),
    )


def _once(arguments: Sequence[str]) -> float:
    """Return user plus system time of a new Python process with these arguments."""
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{arguments} ended with {process.returncode}.")
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    run(main)

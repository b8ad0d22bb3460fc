"""Figures as a table that can be pasted into a note, and what was missed as an exit code.

Owns: which bars were missed in this run; a script ends with 1 when one was, so that whoever calls
it need not read.
"""

import sys
from collections.abc import Callable, Sequence

from tests.bench.measuring import Figures

_HEAD = (
    "| what | requests | CPU µs/request | requests/s per core | p50 ms | p99 ms | PSS MiB | ratio |"
)

_MISSED: list[str] = []


def show(figures: Sequence[Figures], *, bar: float) -> None:
    """Print all of them; the ratio is to the first, and `bar` is what the others may have."""
    yardstick = figures[0].cpu_us
    say(_HEAD)
    say("|---|---|---|---|---|---|---|---|")
    for found in figures:
        say(
            f"| {found.name} | {found.count} | {found.cpu_us:.0f} | {1e6 / found.cpu_us:.0f} "
            f"| {found.p50_ms:.2f} | {found.p99_ms:.2f} | {found.memory_mib:.0f} "
            f"| {found.cpu_us / yardstick:.2f} |"
        )
    for found in figures[1:]:
        say(f"\nanswers: {dict(found.answers)}")
        verdict(f"{found.name}: ratio", found.cpu_us / yardstick, bar)


def verdict(what: str, found: float, bar: float, unit: str = "") -> None:
    """Say a figure, its bar, and whether it holds."""
    line = f"{what} {found:.2f}{unit}, bar {bar:g}{unit}"
    if found > bar:
        _MISSED.append(line)
    say(f"{line}: {'holds' if found <= bar else 'MISSED'}\n")


def run(*benches: Callable[[], None]) -> None:
    """All of these, one after another; ends the process, with 1 when one missed a bar."""
    for bench in benches:
        bench()
    for line in _MISSED:
        say(f"MISSED: {line}")
    sys.exit(1 if _MISSED else 0)


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()

"""Figures as a Markdown table, and missed bars as an exit code.

Owns: the missed bars and the failed benchmarks of this run; if there are any, the process ends
with 1.
"""

import statistics
import sys
from collections.abc import Callable, Sequence

from tests.bench.answers import WrongAnswers
from tests.bench.measuring import Figures

_HEAD = (
    "| what | requests | CPU µs/request (rounds) | requests/s per core | p50 ms | p99 ms "
    "| PSS MiB | {ratio} |"
)

_MISSED: list[str] = []


def against_peer(figures: Sequence[Figures], *, bar: float) -> None:
    """Print the figures; the first is the peer, and the others must be `bar` times as fast."""
    shares = [_shares(figures[0], figure) for figure in figures]
    _rows(figures, shares, "x peer (rounds)")
    for figure, share in list(zip(figures, shares, strict=True))[1:]:
        at_least(f"{figure.name}: speed", statistics.median(share), bar, " x peer")


def growth(figures: Sequence[Figures], *, bar: float) -> None:
    """Print the figures; each of the others may cost `bar` times as much as the first."""
    shares = [_shares(figure, figures[0]) for figure in figures]
    _rows(figures, shares, "ratio (rounds)")
    for figure, share in list(zip(figures, shares, strict=True))[1:]:
        verdict(f"{figure.name}: ratio", statistics.median(share), bar)


def _shares(above: Figures, below: Figures) -> list[float]:
    """Return the ratio of each round, because targets in one round have the same conditions."""
    return [a / b for a, b in zip(above.rounds_us, below.rounds_us, strict=True)]


def _rows(figures: Sequence[Figures], shares: Sequence[list[float]], ratio: str) -> None:
    say(_HEAD.format(ratio=ratio))
    say("|---|---|---|---|---|---|---|---|")
    for figure, share in zip(figures, shares, strict=True):
        say(
            f"| {figure.name} | {figure.count} | {_spread(figure.rounds_us, 0)} "
            f"| {1e6 / figure.cpu_us:.0f} | {figure.p50_ms:.2f} | {figure.p99_ms:.2f} "
            f"| {figure.memory_mib:.0f} | {_spread(share, 2)} |"
        )
    say("")


def _spread(values: Sequence[float], digits: int) -> str:
    middle, least, most = statistics.median(values), min(values), max(values)
    return f"{middle:.{digits}f} ({least:.{digits}f}-{most:.{digits}f})"


def verdict(what: str, found: float, bar: float, unit: str = "") -> None:
    """Print a figure, its upper bar, and whether the bar holds."""
    _report(f"{what} {found:.2f}{unit}, bar {bar:g}{unit}", holds=found <= bar)


def at_least(what: str, found: float, bar: float, unit: str = "") -> None:
    """Print a figure, its lower bar, and whether the bar holds."""
    _report(f"{what} {found:.2f}{unit}, bar at least {bar:g}{unit}", holds=found >= bar)


def _report(line: str, *, holds: bool) -> None:
    if not holds:
        _MISSED.append(line)
    say(f"{line}: {'holds' if holds else 'MISSED'}\n")


def run(*benches: Callable[[], None]) -> None:
    """Run these benchmarks in turn; exit with 1 if one missed a bar or got wrong responses."""
    for bench in benches:
        try:
            bench()
        except WrongAnswers as wrong:
            _MISSED.append(f"no figure, wrong answers: {wrong}")
            say(f"FAILED: {wrong}\n")
    for line in _MISSED:
        say(f"MISSED: {line}")
    sys.exit(1 if _MISSED else 0)


def say(line: str) -> None:
    """Print a line immediately."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()

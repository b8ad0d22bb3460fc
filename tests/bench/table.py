"""Figures as a Markdown table, and missed goals as an exit code.

Owns: the missed goals and the failed benchmarks of this run; if there are any, the process ends
with 1.
"""

import statistics
import sys
from collections.abc import Callable, Sequence

from tests.bench.measuring import Figures
from tests.bench.responses import UnexpectedResponses

_HEAD = (
    "| what | requests | CPU µs/request (rounds) | requests/s per core | p50 ms | p99 ms "
    "| PSS MiB | {ratio} |"
)

_MISSED: list[str] = []


def against_peer(figures: Sequence[Figures], *, min_speed: float) -> None:
    """Print the figures. The first is the peer; the others must be `min_speed` times as fast."""
    shares = [_shares(figures[0], figure) for figure in figures]
    _rows(figures, shares, "x peer (rounds)")
    for figure, share in list(zip(figures, shares, strict=True))[1:]:
        at_least(f"{figure.name}: speed", statistics.median(share), min_speed, " x peer")


def growth(figures: Sequence[Figures], *, max_ratio: float) -> None:
    """Print the figures. The others may cost at most `max_ratio` times as much as the first."""
    shares = [_shares(figure, figures[0]) for figure in figures]
    _rows(figures, shares, "ratio (rounds)")
    for figure, share in list(zip(figures, shares, strict=True))[1:]:
        at_most(f"{figure.name}: ratio", statistics.median(share), max_ratio)


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


def at_most(what: str, found: float, limit: float, unit: str = "") -> None:
    """Print a figure, its maximum, and whether the goal was reached."""
    _report(f"{what} {found:.2f}{unit}, goal at most {limit:g}{unit}", reached=found <= limit)


def at_least(what: str, found: float, limit: float, unit: str = "") -> None:
    """Print a figure, its minimum, and whether the goal was reached."""
    _report(f"{what} {found:.2f}{unit}, goal at least {limit:g}{unit}", reached=found >= limit)


def _report(line: str, *, reached: bool) -> None:
    if not reached:
        _MISSED.append(line)
    say(f"{line}: {'reached' if reached else 'MISSED'}\n")


def run(*benches: Callable[[], None]) -> None:
    """Run these benchmarks in turn; exit with 1 if one missed a goal or failed."""
    for bench in benches:
        try:
            bench()
        except UnexpectedResponses as error:
            _MISSED.append(f"no figure, unexpected responses: {error}")
            say(f"FAILED: {error}\n")
    for line in _MISSED:
        say(f"MISSED: {line}")
    sys.exit(1 if _MISSED else 0)


def say(line: str) -> None:
    """Print a line immediately."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()

"""A benchmark that misses a bar reports it with its output and exit code."""

import pytest

from tests.bench import table
from tests.bench.measuring import Figures


@pytest.fixture(autouse=True)
def nothing_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reset the list of missed bars, so that each test is its own run."""
    monkeypatch.setattr(table, "_MISSED", [])


def test_a_run_in_which_every_bar_holds_ends_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    """A figure equal to its bar holds, so the run ends with 0."""
    with pytest.raises(SystemExit) as exit_info:
        table.run(lambda: table.verdict("p99", 50.0, 50.0, " ms"))
    assert exit_info.value.code == 0
    assert capsys.readouterr().out == "p99 50.00 ms, bar 50 ms: holds\n\n"


def test_a_run_that_missed_a_bar_ends_with_1_after_the_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The other benchmarks still run, and the last line of output names the missed bar again."""
    with pytest.raises(SystemExit) as exit_info:
        table.run(
            lambda: table.verdict("growth", 1.31, 1.3, " times"),
            lambda: table.verdict("memory", 90, 120, " MiB"),
        )
    assert exit_info.value.code == 1
    output = capsys.readouterr().out.splitlines()
    assert output[-1] == "MISSED: growth 1.31 times, bar 1.3 times"
    assert "memory 90.00 MiB, bar 120 MiB: holds" in output


def test_a_speed_below_its_bar_is_missed(capsys: pytest.CaptureFixture[str]) -> None:
    """In comparisons with the peer more is better, so a speed below the bar is missed."""
    with pytest.raises(SystemExit) as exit_info:
        table.run(
            lambda: table.at_least("poll: speed", 2.0, 2.0, " x peer"),
            lambda: table.at_least("request: speed", 0.1, 1.5, " x peer"),
        )
    assert exit_info.value.code == 1
    output = capsys.readouterr().out.splitlines()
    assert "poll: speed 2.00 x peer, bar at least 2 x peer: holds" in output
    assert output[-1] == "MISSED: request: speed 0.10 x peer, bar at least 1.5 x peer"


def test_the_ratio_to_the_peer_is_taken_round_by_round(capsys: pytest.CaptureFixture[str]) -> None:
    """The ratio is computed per round, because a busy machine slows both servers in one round."""
    peer = _figures("peer", 100.0, 400.0, 100.0)
    ours = _figures("poll", 200.0, 800.0, 400.0)
    with pytest.raises(SystemExit):
        table.run(lambda: table.against_peer([peer, ours], bar=0.5))
    output = capsys.readouterr().out
    assert "| poll | 3 | 400 (200-800) | 2500 | 1.00 | 2.00 | 90 | 0.50 (0.25-0.50) |" in output
    assert "poll: speed 0.50 x peer, bar at least 0.5 x peer: holds" in output


def test_growth_is_compared_with_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    """Growth is the ratio to the first target, and a ratio above the bar is missed."""
    little, much = _figures("little", 100.0), _figures("much", 130.0)
    with pytest.raises(SystemExit) as exit_info:
        table.run(lambda: table.growth([little, much], bar=1.2))
    assert exit_info.value.code == 1
    assert "MISSED: much: ratio 1.30, bar 1.2" in capsys.readouterr().out


def _figures(name: str, *rounds: float) -> Figures:
    return Figures(name, len(rounds), rounds, 1.0, 2.0, 90.0)

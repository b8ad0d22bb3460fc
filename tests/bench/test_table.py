"""A missed goal is in the output and in the exit code."""

import pytest

from tests.bench import table
from tests.bench.measuring import Figures


@pytest.fixture(autouse=True)
def nothing_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reset the list of missed goals, so that each test is its own run."""
    monkeypatch.setattr(table, "_MISSED", [])


def test_a_run_that_reaches_every_goal_exits_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    """A figure that is equal to its limit reaches the goal."""
    with pytest.raises(SystemExit) as exit_info:
        table.run(lambda: table.at_most("p99", 50.0, 50.0, " ms"))
    assert exit_info.value.code == 0
    assert capsys.readouterr().out == "p99 50.00 ms, goal at most 50 ms: reached\n\n"


def test_a_run_that_misses_a_goal_exits_with_1_after_all_benchmarks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The last line of the output repeats the missed goal."""
    with pytest.raises(SystemExit) as exit_info:
        table.run(
            lambda: table.at_most("growth", 1.31, 1.3, " times"),
            lambda: table.at_most("memory", 90, 120, " MiB"),
        )
    assert exit_info.value.code == 1
    output = capsys.readouterr().out.splitlines()
    assert output[-1] == "MISSED: growth 1.31 times, goal at most 1.3 times"
    assert "memory 90.00 MiB, goal at most 120 MiB: reached" in output


def test_a_speed_below_its_minimum_misses_the_goal(capsys: pytest.CaptureFixture[str]) -> None:
    """Only comparisons with the peer have a minimum."""
    with pytest.raises(SystemExit) as exit_info:
        table.run(
            lambda: table.at_least("poll: speed", 2.0, 2.0, " x peer"),
            lambda: table.at_least("request: speed", 0.1, 1.5, " x peer"),
        )
    assert exit_info.value.code == 1
    output = capsys.readouterr().out.splitlines()
    assert "poll: speed 2.00 x peer, goal at least 2 x peer: reached" in output
    assert output[-1] == "MISSED: request: speed 0.10 x peer, goal at least 1.5 x peer"


def test_the_ratio_to_the_peer_is_taken_round_by_round(capsys: pytest.CaptureFixture[str]) -> None:
    """A busy machine slows both servers in the same round."""
    peer = _figures("peer", 100.0, 400.0, 100.0)
    ours = _figures("poll", 200.0, 800.0, 400.0)
    with pytest.raises(SystemExit):
        table.run(lambda: table.against_peer([peer, ours], min_speed=0.5))
    output = capsys.readouterr().out
    assert "| poll | 3 | 400 (200-800) | 2500 | 1.00 | 2.00 | 90 | 0.50 (0.25-0.50) |" in output
    assert "poll: speed 0.50 x peer, goal at least 0.5 x peer: reached" in output


def test_growth_is_the_ratio_to_the_first_target(capsys: pytest.CaptureFixture[str]) -> None:
    """A ratio above the limit misses the goal."""
    little, much = _figures("little", 100.0), _figures("much", 130.0)
    with pytest.raises(SystemExit) as exit_info:
        table.run(lambda: table.growth([little, much], max_ratio=1.2))
    assert exit_info.value.code == 1
    assert "MISSED: much: ratio 1.30, goal at most 1.2" in capsys.readouterr().out


def _figures(name: str, *rounds: float) -> Figures:
    return Figures(name, len(rounds), rounds, 1.0, 2.0, 90.0)

"""A benchmark that misses a bar says so to whoever called it."""

import pytest

from tests.bench import table


@pytest.fixture(autouse=True)
def nothing_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of its own."""
    monkeypatch.setattr(table, "_MISSED", [])


def test_a_run_in_which_every_bar_holds_ends_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    """What is as large as its bar holds."""
    with pytest.raises(SystemExit) as ended:
        table.run(lambda: table.verdict("p99", 50.0, 50.0, " ms"))
    assert ended.value.code == 0
    assert capsys.readouterr().out == "p99 50.00 ms, bar 50 ms: holds\n\n"


def test_a_run_that_missed_one_ends_with_1_after_the_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And names it again where the output ends."""
    with pytest.raises(SystemExit) as ended:
        table.run(
            lambda: table.verdict("growth", 1.31, 1.3, " times"),
            lambda: table.verdict("memory", 90, 120, " MiB"),
        )
    assert ended.value.code == 1
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == "MISSED: growth 1.31 times, bar 1.3 times"
    assert "memory 90.00 MiB, bar 120 MiB: holds" in said

"""`kill -9` at random moments, repeatedly: acknowledged data is complete afterwards."""

import itertools
import random
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.checks.ledger import Ledger, read_ledger
from tests.support.checks.log_and_rows import verify_log
from tests.support.checks.waiting import until
from tests.support.servers.load import WITHOUT_LIMITS, Load, new_load
from tests.support.servers.server import live_server

_KILLS = 50
_MAX_SECONDS = 0.04

Starter = Callable[..., Load]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    """Starts a server with or without planted faults, and prepares a load on it."""
    numbers = itertools.count()
    with ExitStack() as running:

        def starter(*seeds: str) -> Load:
            folder = tmp_path / str(next(numbers))
            folder.mkdir()
            planted = tuple(word for seed in seeds for word in ("--seed", seed))
            server = running.enter_context(
                live_server(folder, forked=True, options=planted, **WITHOUT_LIMITS)
            )
            load = new_load(server)
            running.callback(load.close)
            return load

        yield starter


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Chooses random moments; the seed is printed when the test fails."""
    seed = secrets.randbits(32)
    request.node.add_report_section("setup", "seed", f"random.Random({seed})")
    return random.Random(seed)  # noqa: S311  # moments, not secrets


def _kill(load: Load, rng: random.Random, tokens: int = 0) -> Ledger:
    """Runs a load, kills the server soon after an answer, and reads what is stored.

    By then at least one decision and this many tokens were acknowledged.
    """
    before, tokens_before = len(load.answers), len(load.tokens) + tokens
    with load.running():
        until(lambda: len(load.answers) > before and len(load.tokens) >= tokens_before, 30)
        time.sleep(rng.random() * _MAX_SECONDS)
        load.server.kill()
    ledger = read_ledger(f"sqlite:///{load.server.folder / 'data' / 'sayso.db'}")
    load.server.start()
    return ledger


def _find_lost_data(load: Load, ledger: Ledger) -> list[str]:
    """Lists decisions and tokens that were acknowledged and are missing."""
    decisions = [
        f"{approval}: {answer} was acknowledged, {ledger.decisions.get(approval)} is there"
        for approval, answer in load.answers.items()
        if ledger.decisions.get(approval) != answer
    ]
    issued = set(ledger.tokens.values())
    return decisions + [f"{token} was given" for token in load.tokens if token not in issued]


def _kill_repeatedly(load: Load, rng: random.Random, kills: int) -> None:
    """Kills the server this many times, and checks everything each time."""
    for number in range(kills):
        ledger = _kill(load, rng, tokens=number % 5 == 0)
        assert _find_lost_data(load, ledger) == []
        assert ledger.discrepancies() == []


@pytest.mark.timeout(900)
def test_fifty_kills_lose_nothing_and_leave_nothing_half_done(
    start: Starter, rng: random.Random
) -> None:
    """I2, I7, I8: every acknowledged decision and token is stored with its entry.

    Every entry has its effect, and so have events and messages. Two servers share the kills,
    because most of the time is spent starting.
    """
    loads = [start(), start()]
    with ThreadPoolExecutor(len(loads)) as threads:
        for future in [threads.submit(_kill_repeatedly, load, rng, _KILLS // 2) for load in loads]:
            future.result()

    for load in loads:
        assert verify_log(load.server).meaning.signatures >= len(load.answers)
        assert load.tokens
        assert load.faults == []
        assert len(load.answers) >= _KILLS // 2
        for name in list(load.answers)[-10:]:
            decided = load.person.client.approval(name).decision
            assert decided is not None
            assert decided.decision == load.answers[name]


@pytest.mark.timeout(900)
def test_the_check_detects_an_entry_that_is_written_later(
    start: Starter, rng: random.Random
) -> None:
    """I7: if the entry of a denial has its own transaction, a kill leaves it missing."""
    load = start("separate_entry")
    assert any(_kill(load, rng).discrepancies() for _ in range(30))


@pytest.mark.timeout(900)
def test_the_check_detects_a_decision_acknowledged_too_early(
    start: Starter, rng: random.Random
) -> None:
    """I2: if transactions return before their COMMIT, a kill loses a decision."""
    load = start("acknowledged_early")
    assert any(_find_lost_data(load, _kill(load, rng)) for _ in range(30))

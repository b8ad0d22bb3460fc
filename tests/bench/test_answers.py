"""A benchmark whose server gives another answer than the expected one fails and prints it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from server.services.agents import Agents
from tests.bench import exchange, introspection, poll, redemption, request, table
from tests.bench.answers import Expected, WrongAnswers, check
from tests.bench.measuring import Target, compare
from tests.support.load import CALLED_ALWAYS, WITHOUT_LIMITS
from tests.support.server import BY, LiveServer, live_server

_COUNT = 120
_SECONDS = 0.3
_ACTIVE = Expected(200, '"active":true')

_DISABLED = '400 {"error":"unauthorized_client"'
Made = Callable[[LiveServer], Sequence[Target]]

BENCHES: dict[str, tuple[Made, str]] = {
    "request": (lambda server: [request.target(server, users=4, count=_COUNT)], _DISABLED),
    "poll": (lambda server: [poll.target(server, rounds=3, count=_COUNT)], _DISABLED),
    "redemption": (lambda server: [redemption.target(server, count=_COUNT)], _DISABLED),
    "exchange": (lambda server: exchange.targets(server, count=_COUNT), _DISABLED),
    "introspection": (
        lambda server: [introspection.target(server, once=n, count=_COUNT) for n in (True, False)],
        '200 {"active":false}',
    ),
}
"""The targets of each bench, and the answer that comes once all agents are disabled."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One server for all of them."""
    folder: Path = tmp_path_factory.mktemp("bench")
    with live_server(folder, **WITHOUT_LIMITS, **CALLED_ALWAYS) as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of its own."""
    monkeypatch.setattr(table, "_MISSED", [])


def _once(target: Target) -> Target:
    """The same with a lot that is made now."""
    lot = target.lot()
    return replace(target, lot=lambda: lot)


def _disable_all(server: LiveServer) -> None:
    agents = Agents(server.services.store, server.services.secrets)
    for agent in agents.all():
        agents.disable(agent.id, by=BY)


@pytest.mark.parametrize("name", BENCHES)
def test_a_bench_that_measures_refusals_fails(
    server: LiveServer, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its targets give the right answer, and once their agents are disabled, no figure at all."""
    made, answer = BENCHES[name]
    targets = made(server)
    found = compare(targets, rounds=1, seconds=_SECONDS)
    assert all(figures.count > 0 for figures in found)
    targets = [_once(target) for target in targets]
    _disable_all(server)
    for target in targets:
        with pytest.raises(SystemExit) as ended:
            table.run(lambda one=target: compare([one], rounds=1, seconds=_SECONDS))
        assert ended.value.code == 1
        printed = capsys.readouterr().out
        assert f"FAILED: {target.name}: expected only {target.expected.label}; got " in printed
        assert f" x {answer}" in printed


def test_one_other_answer_among_many_fails() -> None:
    """It is named with its count, after the more frequent ones."""
    with pytest.raises(WrongAnswers) as failed:
        check("x", _ACTIVE, {_ACTIVE.label: 1_428, "403 access_denied": 200})
    assert str(failed.value) == (
        'x: expected only 200 "active":true; got 1428 x 200 "active":true, 200 x 403 access_denied'
    )


def test_no_answer_at_all_fails() -> None:
    """A run without answers has no figures."""
    with pytest.raises(WrongAnswers, match="got no answer"):
        check("x", _ACTIVE, {})


@pytest.mark.parametrize(
    ("status", "body"), [(200, '{"active":false}'), (503, '{"active":true}'), (200, "")]
)
def test_status_and_body_both_count(status: int, body: str) -> None:
    """A 200 whose body says no is another answer."""
    assert not _ACTIVE.matches(status, body)
    assert _ACTIVE.matches(200, '{"active":true,"sub":"x"}')

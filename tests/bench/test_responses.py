"""A benchmark fails if its server returns an unexpected response, and prints the response."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from server.services.clients.agents import Agents
from server.services.resources.resources import Resources
from tests.bench import (
    exchange,
    feed,
    idle,
    introspection,
    kill_switch,
    pages,
    poll,
    redemption,
    request,
    table,
)
from tests.bench.measuring import Target, compare
from tests.bench.responses import Expected, UnexpectedResponses
from tests.support.browsers.web_person import COOKIE, WebPerson, new_web_person
from tests.support.builders.installation import PAY
from tests.support.clients.terminal import new_person
from tests.support.servers.load import WITHOUT_LIMITS, WITHOUT_NOTIFICATION_LIMITS
from tests.support.servers.server import BY, LiveServer, live_server

_COUNT = 120
_SECONDS = 0.4
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
"""Benchmark → its targets, and the response that comes once all agents are disabled."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Run one server for all tests of this file."""
    folder: Path = tmp_path_factory.mktemp("bench")
    with live_server(folder, **WITHOUT_LIMITS, **WITHOUT_NOTIFICATION_LIMITS) as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reset the list of missed goals, so that each test is its own run."""
    monkeypatch.setattr(table, "_MISSED", [])


def _once(target: Target) -> Target:
    """Return the same target with a batch that is made now, before agents are disabled."""
    lot = target.lot()
    return replace(target, lot=lambda: lot)


def _disable_all(server: LiveServer) -> None:
    agents = Agents(server.services.store, server.services.secrets)
    for agent in agents.all():
        agents.disable(agent.id, by=BY)


@pytest.mark.parametrize("name", BENCHES)
def test_a_benchmark_fails_if_its_requests_are_refused(
    server: LiveServer, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With enabled agents, the same benchmark has figures."""
    make_targets, unexpected = BENCHES[name]
    targets = make_targets(server)
    found = compare(targets, rounds=1, seconds=_SECONDS)
    assert all(figures.count > 0 for figures in found)
    targets = [_once(target) for target in targets]
    _disable_all(server)
    for target in targets:
        with pytest.raises(SystemExit) as exit_info:
            table.run(lambda one=target: compare([one], rounds=1, seconds=_SECONDS))
        assert exit_info.value.code == 1
        printed = capsys.readouterr().out
        assert f"FAILED: {target.name}: expected only {target.expected.label}; got " in printed
        assert f" x {unexpected}" in printed


def test_the_feed_benchmark_does_not_time_refused_requests(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused requests cause no frame, so the feed benchmark must fail."""
    monkeypatch.setattr(feed, "_REQUESTS", 3)
    person = new_person(server)
    with feed.sockets(server, [person]) as client:
        _disable_all(server)
        feed._tell(client, "\n")
        with pytest.raises(UnexpectedResponses, match="feed: expected only 200 approval"):
            feed._frames(client)


def test_the_feed_benchmark_times_events_that_notify(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the three requests causes one frame with a time."""
    monkeypatch.setattr(feed, "_REQUESTS", 3)
    person = new_person(server)
    with feed.sockets(server, [person]) as client:
        feed._tell(client, "\n")
        assert len(feed._frames(client)) == 3


def test_the_kill_switch_benchmark_does_not_time_a_refused_resource(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resource with a wrong secret cannot introspect the token, so the benchmark must fail."""
    assert len(kill_switch.measure(server, 1)) == 1
    rotate = server.resources.rotate_secret
    stale = replace(rotate(PAY, by=BY, overlap_ms=0), secret="wrong")
    monkeypatch.setattr(Resources, "rotate_secret", lambda *_, **__: stale)
    with pytest.raises(UnexpectedResponses, match="expected only 200; got 401"):
        kill_switch.measure(server, 1)


def test_the_page_benchmark_does_not_measure_a_sign_in_page(server: LiveServer) -> None:
    """A signed-out user gets the sign-in page, which must not be measured as the inbox."""
    person = new_web_person(server)
    target = pages._target(person, "the inbox", "/")
    assert compare([target], rounds=1, seconds=_SECONDS)
    person.http.cookies.clear()
    person.http.cookies[COOKIE] = "unknown"
    with pytest.raises(UnexpectedResponses, match="the inbox: expected only 200"):
        compare([pages._target(person, "the inbox", "/")], rounds=1, seconds=_SECONDS)


def test_the_idle_benchmark_runs_the_complete_flow(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused decision loads too little of the program, so the idle benchmark must fail."""
    idle.approve_once(server)
    monkeypatch.setattr(WebPerson, "assertion", lambda *_: "forged")
    with pytest.raises(UnexpectedResponses, match="idle server: expected only 200; got 2 x 200"):
        idle.approve_once(server)

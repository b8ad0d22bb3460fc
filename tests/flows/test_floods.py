"""A flood at a real server: what rings, what is held back, and what nobody can drown out."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from server.protocol.policy.risks import Risk
from server.storage.tables import outbox
from tests.support.clients.agent import Agent, new_agent
from tests.support.clients.feed_frames import greeted
from tests.support.clients.terminal import Terminal
from tests.support.servers.server import BY, LiveServer, live_server

NEWS = "https://news.example"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with the usual budgets, at which as many requests may be open as anybody likes."""
    folder: Path = tmp_path_factory.mktemp("floods")
    limits = {"open_per_agent": "1000", "open_per_user": "1000", "open_in_all": "1000"}
    with live_server(folder, forked=True, **limits) as running:
        running.resources.add(NEWS, {"news:write": Risk.MEDIUM}, {}, by=BY)
        yield running


def _told(server: LiveServer, agent: Agent) -> list[dict[str, Any]]:
    """What left for the operator's hook about the requests of an agent: rows of the outbox."""
    named = (agent.key.id, "approval.requested")
    return [body for body in _hooked(server) if (body.get("agent"), body["event"]) == named]


def _hooked(server: LiveServer) -> list[dict[str, Any]]:
    rows = select(outbox.c.body).where(outbox.c.channel == "webhook").order_by(outbox.c.id)
    with server.services.store.read() as view:
        return [json.loads(text) for text in view._connection.execute(rows).scalars()]


def test_a_flood_rings_five_times_and_does_not_drown_what_is_grave(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """A hundred requests of one agent: five call, ninety-five are held back, none is lost.

    A payment that another agent asks for meanwhile calls all the same. Counted in the rows of the
    outbox and in the frames of the person's socket.
    """
    flooder = new_agent(server, resources=(NEWS,), scopes=("news:write",))
    with greeted(person) as line:
        for _ in range(100):
            flooder.asked(person.user, scope="openid news:write", resource=NEWS)
        assert agent.ask_payment(person.user).status_code == 200
        frames = [line.event("approval.requested") for _ in range(101)]
    rows = _told(server, flooder)

    assert len(rows) == 100
    assert [row["notify"] for row in rows] == [True] * 5 + [False] * 95
    assert [frame["held"] for frame in frames] == [None] * 5 + ["held_back"] * 95 + [None]
    assert frames[-1]["approval"]["risk"] == "high"
    assert [row["notify"] for row in _told(server, agent)] == [True]
    held = [approval for approval in person.waiting() if approval.is_held_back]
    assert {approval.agent.name for approval in held} == {flooder.key.name}
    assert person.approve(held[0]).state == "approved"


def test_what_was_held_back_is_told_of_once(server: LiveServer, person: Terminal) -> None:
    """One message to each person when a minute is over: a frame that rings, a row of the outbox."""
    flooder = new_agent(server, resources=(NEWS,), scopes=("news:write",))
    with greeted(person) as line:
        for _ in range(20):
            flooder.asked(person.user, scope="openid news:write", resource=NEWS)
        for _ in range(20):
            line.event("approval.requested")
        server.clock.forward(60_000)
        frame = line.event("approval.digest")
    server.services.escalations.round()
    rows = [row for row in _hooked(server) if row["event"] == "approval.digest"]
    mine = [row for row in rows if row["approval"] == frame["approval"]["id"]]

    assert frame["held"] is None
    assert [(row["waiting"], row["notify"]) for row in mine] == [(20, True)]


def test_low_risk_rings_once_for_all_of_it(agent: Agent, person: Terminal) -> None:
    """All of it is listed, and takes no slot of what is not low."""
    with greeted(person) as line:
        for _ in range(3):
            agent.asked(person.user)
        frames = [line.event("approval.requested") for _ in range(3)]

    assert [frame["held"] for frame in frames] == [None, "digest", "digest"]
    assert len(person.waiting()) == 3

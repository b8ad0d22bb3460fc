"""Floods of requests with a real server: some requests ring, and the rest are held back."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from server.protocol.policy.risks import Risk
from server.storage.notifications.tables import outbox
from tests.support.clients.agent import Agent, new_agent
from tests.support.clients.feed_frames import open_feed
from tests.support.clients.terminal import Terminal
from tests.support.servers.server import BY, LiveServer, live_server

NEWS = "https://news.example"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with the default limits and no limit on open requests."""
    folder: Path = tmp_path_factory.mktemp("floods")
    limits = {"open_per_agent": "1000", "open_per_user": "1000", "open_in_all": "1000"}
    with live_server(folder, forked=True, **limits) as running:
        running.resources.add(NEWS, {"news:write": Risk.MEDIUM}, {}, by=BY)
        yield running


def _webhook_messages_of(server: LiveServer, agent: Agent) -> list[dict[str, Any]]:
    """Returns the webhook messages in the outbox about the requests of an agent."""
    expected = (agent.key.id, "approval.requested")
    return [
        body for body in _webhook_messages(server) if (body.get("agent"), body["event"]) == expected
    ]


def _webhook_messages(server: LiveServer) -> list[dict[str, Any]]:
    rows = select(outbox.c.body).where(outbox.c.channel == "webhook").order_by(outbox.c.id)
    with server.services.store.read() as view:
        return [json.loads(text) for text in view._connection.execute(rows).scalars()]


def test_a_flood_rings_five_times_and_does_not_hide_a_payment(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """Of a hundred requests of one agent, five ring and the others are held back, but none is lost.

    A payment that another agent requests afterwards rings. The test counts rows of the outbox and
    frames of the user's socket.
    """
    flooder = new_agent(server, resources=(NEWS,), scopes=("news:write",))
    with open_feed(person) as line:
        for _ in range(100):
            flooder.request_approval(person.user, scope="openid news:write", resource=NEWS)
        assert agent.ask_payment(person.user).status_code == 200
        frames = [line.event("approval.requested") for _ in range(101)]
    rows = _webhook_messages_of(server, flooder)

    assert len(rows) == 100
    assert [row["notify"] for row in rows] == [True] * 5 + [False] * 95
    assert [frame["held"] for frame in frames] == [None] * 5 + ["held_back"] * 95 + [None]
    assert frames[-1]["approval"]["risk"] == "high"
    assert [row["notify"] for row in _webhook_messages_of(server, agent)] == [True]
    held_back = [approval for approval in person.waiting() if approval.is_held_back]
    assert {approval.agent.name for approval in held_back} == {flooder.key.name}
    assert person.approve(held_back[0]).state == "approved"


def test_held_back_requests_are_announced_once(server: LiveServer, person: Terminal) -> None:
    """After a minute the user gets one digest: one frame that rings and one webhook message."""
    flooder = new_agent(server, resources=(NEWS,), scopes=("news:write",))
    with open_feed(person) as line:
        for _ in range(20):
            flooder.request_approval(person.user, scope="openid news:write", resource=NEWS)
        for _ in range(20):
            line.event("approval.requested")
        server.clock.forward(60_000)
        frame = line.event("approval.digest")
    server.services.escalations.round()
    rows = [row for row in _webhook_messages(server) if row["event"] == "approval.digest"]
    messages = [row for row in rows if row["approval"] == frame["approval"]["id"]]

    assert frame["held"] is None
    assert [(row["waiting"], row["notify"]) for row in messages] == [(20, True)]


def test_low_risk_requests_ring_once_together(agent: Agent, person: Terminal) -> None:
    """The first low-risk request rings; later ones wait for a digest, and all are listed."""
    with open_feed(person) as line:
        for _ in range(3):
            agent.request_approval(person.user)
        frames = [line.event("approval.requested") for _ in range(3)]

    assert [frame["held"] for frame in frames] == [None, "digest", "digest"]
    assert len(person.waiting()) == 3

"""Another user's request: every place answers as for one that does not exist."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.support.browsers.web_person import WebPerson, new_web_person
from tests.support.checks.log_and_rows import everything
from tests.support.clients.agent import Agent
from tests.support.servers.server import LiveServer

UNKNOWN_IDS = dict.fromkeys(("done", "waiting"), "sayso_ap_aaaaaaaaaaaaaaaa")
GRANT_PROPOSAL = {"approval": "", "seconds": 3_600, "uses": 1}
PLACES = [
    ("GET", "/r/{waiting}", None),
    ("GET", "/r/{waiting}/limit", None),
    ("GET", "/r/{waiting}/similar", None),
    ("GET", "/r/{waiting}/report", None),
    ("GET", "/done/{done}", None),
    ("GET", "/receipt/{done}", None),
    ("POST", "/r/{waiting}/limit", None),
    ("POST", "/r/{waiting}/similar", None),
    ("POST", "/done/{done}/revoke", None),
    ("GET", "/api/approvals/{waiting}", None),
    ("GET", "/api/approvals/{done}/receipt", None),
    ("GET", "/api/approvals/{waiting}/narrowing", None),
    ("POST", "/api/approvals/{waiting}/narrowing", {"drop_scopes": ["payments:read"]}),
    ("POST", "/api/approvals/{waiting}/decision", {"decision": "a.b.c"}),
    ("POST", "/api/approvals/{waiting}/extension", None),
    ("POST", "/api/approvals/{waiting}/retry", None),
    ("POST", "/api/approvals/{waiting}/report", {"decision": "a.b.c", "scope": "agent"}),
    ("POST", "/api/grants", GRANT_PROPOSAL),
    ("POST", "/api/grants/preview", GRANT_PROPOSAL),
]


@pytest.fixture
def eva(server: LiveServer) -> WebPerson:
    """The owner of the requests."""
    return new_web_person(server)


@pytest.fixture
def ben(server: LiveServer) -> WebPerson:
    """Another signed-in user."""
    return new_web_person(server)


@pytest.fixture
def evas_request(eva: WebPerson, agent: Agent) -> dict[str, str]:
    """A redeemed request of hers, and a pending one."""
    handle = agent.asked(eva.name)
    (done,) = _waiting(eva)
    assert eva.decide(done, eva.assertion(done)).is_success
    assert agent.poll(handle).status_code == 200
    agent.asked(eva.name)
    (waiting,) = _waiting(eva)
    return {"done": done, "waiting": waiting}


def test_every_place_answers_as_if_the_request_did_not_exist(
    server: LiveServer, eva: WebPerson, ben: WebPerson, evas_request: dict[str, str]
) -> None:
    """The same status and text on pages, API and forms; and nothing is changed."""
    before = everything(server)
    for place in PLACES:
        known, unknown = (_sent(ben, ids, *place) for ids in (evas_request, UNKNOWN_IDS))
        assert known == unknown, place
        assert known[0] == 404, place
    assert everything(server) == before
    for place in PLACES:
        assert _sent(eva, evas_request, *place)[0] != 404, place


def test_the_feed_never_contains_another_users_request(
    server: LiveServer, eva: WebPerson, ben: WebPerson, agent: Agent
) -> None:
    """A cursor at the very first event does not help."""
    agent.asked(eva.name)
    agent.asked(ben.name)
    (own,) = _waiting(ben)
    headers = {"Cookie": ben.cookie}
    address = f"ws://localhost:{server.port}/api/feed?cursor=0"
    with connect(address, additional_headers=headers, origin=server.url) as socket:
        ticket = ben.http.post("/api/feed/ticket").json()["ticket"]
        socket.send(json.dumps({"type": "ticket", "ticket": ticket}))
        assert json.loads(socket.recv(10))["type"] == "hello"
        frames = [json.loads(socket.recv(10)) for _ in range(2)]
    assert own in json.dumps(frames), frames
    assert eva.name not in json.dumps(frames)


def _waiting(person: WebPerson) -> list[str]:
    found = person.http.get("/api/approvals?state=waiting").json()["items"]
    return [one["id"] for one in found]


def _sent(
    person: WebPerson,
    ids: Mapping[str, str],
    method: str,
    path: str,
    body: Mapping[str, Any] | None,
) -> tuple[int, str]:
    """Status and text, without the ids."""
    where = path.format(**ids)
    if method == "POST" and not path.startswith("/api/"):
        answer = person.send(where)
    else:
        filled = None if body is None else {**body, **_named(body, ids)}
        answer = person.http.request(method, where, json=filled)
    return answer.status_code, re.sub("|".join(ids.values()), "", answer.text)


def _named(body: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, str]:
    return {"approval": ids["waiting"]} if "approval" in body else {}

"""Another user's request: every endpoint responds as if it did not exist."""

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
ROUTES = [
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
    """A second signed-in user."""
    return new_web_person(server)


@pytest.fixture
def evas_request(eva: WebPerson, agent: Agent) -> dict[str, str]:
    """The IDs of a redeemed and of a pending request of Eva."""
    handle = agent.request_approval(eva.name)
    (redeemed,) = _pending_ids(eva)
    assert eva.decide(redeemed, eva.assertion(redeemed)).is_success
    assert agent.poll(handle).status_code == 200
    agent.request_approval(eva.name)
    (pending,) = _pending_ids(eva)
    return {"done": redeemed, "waiting": pending}


def test_every_endpoint_responds_as_if_the_request_did_not_exist(
    server: LiveServer, eva: WebPerson, ben: WebPerson, evas_request: dict[str, str]
) -> None:
    """Pages, API and forms answer 404 with the text for an unknown ID, and change nothing."""
    before = everything(server)
    for route in ROUTES:
        existing, unknown = (
            _answer_without_ids(ben, ids, *route) for ids in (evas_request, UNKNOWN_IDS)
        )
        assert existing == unknown, route
        assert existing[0] == 404, route
    assert everything(server) == before
    for route in ROUTES:
        assert _answer_without_ids(eva, evas_request, *route)[0] != 404, route


def test_the_feed_never_contains_another_users_request(
    server: LiveServer, eva: WebPerson, ben: WebPerson, agent: Agent
) -> None:
    """A feed that starts at the first event contains only its own user's events."""
    agent.request_approval(eva.name)
    agent.request_approval(ben.name)
    (own,) = _pending_ids(ben)
    headers = {"Cookie": ben.cookie}
    address = f"ws://localhost:{server.port}/api/feed?cursor=0"
    with connect(address, additional_headers=headers, origin=server.url) as socket:
        ticket = ben.http.post("/api/feed/ticket").json()["ticket"]
        socket.send(json.dumps({"type": "ticket", "ticket": ticket}))
        assert json.loads(socket.recv(10))["type"] == "hello"
        frames = [json.loads(socket.recv(10)) for _ in range(2)]
    assert own in json.dumps(frames), frames
    assert eva.name not in json.dumps(frames)


def _pending_ids(person: WebPerson) -> list[str]:
    items = person.http.get("/api/approvals?state=waiting").json()["items"]
    return [item["id"] for item in items]


def _answer_without_ids(
    person: WebPerson,
    ids: Mapping[str, str],
    method: str,
    path: str,
    body: Mapping[str, Any] | None,
) -> tuple[int, str]:
    """Sends a request and returns the status and the text without the IDs."""
    address = path.format(**ids)
    if method == "POST" and not path.startswith("/api/"):
        answer = person.send(address)
    else:
        filled = None if body is None else {**body, **_approval_member(body, ids)}
        answer = person.http.request(method, address, json=filled)
    return answer.status_code, re.sub("|".join(ids.values()), "", answer.text)


def _approval_member(body: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, str]:
    return {"approval": ids["waiting"]} if "approval" in body else {}

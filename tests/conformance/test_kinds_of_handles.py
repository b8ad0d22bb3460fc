"""No handle passes for another: each kind at each place that takes another kind is refused.

And no client passes for another kind of client, or uses a grant that it does not have.
"""

from collections.abc import Iterator

import httpx
import pytest

from server.protocol.names import AGENT_GRANTS
from tests.support import handles
from tests.support.handles import World
from tests.support.refusals import check_refusal, unchanged
from tests.support.server import AgentKey, LiveServer
from tests.support.terminal import Terminal

_INVALID = {(400, "invalid_request")}
_TAKES: dict[str, tuple[set[str], set[tuple[int, str]]]] = {
    "basic name": ({"agent"}, {(401, "invalid_client")}),
    "basic password": ({"agent secret"}, {(401, "invalid_client")}),
    "client_assertion": ({"assertion"}, {(401, "invalid_client")}),
    "auth_req_id": ({"auth_req_id"}, {(400, "invalid_grant")}),
    "subject_token": ({"delegated token"}, _INVALID),
    "actor_token": ({"access token"}, _INVALID),
    "code of enrolment": ({"enrolment code"}, {(400, "invalid_grant")}),
    "refresh_token": ({"refresh token"}, {(400, "invalid_grant")}),
    "login_hint": ({"user"}, {*_INVALID, (400, "unknown_user_id"), (403, "access_denied")}),
    "id_token_hint": ({"ID token"}, _INVALID),
    "login_hint_token": (set(), _INVALID),
    "request": (set(), _INVALID),
    "proof": ({"proof"}, {(400, "invalid_dpop_proof")}),
    "token of the API": ({"session token"}, {(401, "invalid_token")}),
    "approval of the API": ({"approval"}, {(404, "not_found")}),
    "device of the API": ({"device"}, {(404, "not_found")}),
    "token to consume": (set(), {(403, "token_inactive"), (403, "not_single_use")}),
}
"""Place → what it takes, and what it says to everything else."""


@pytest.fixture(scope="module")
def world(server: LiveServer, http: httpx.Client, person: Terminal) -> Iterator[World]:
    """One of everything."""
    return handles.world(server, http, person)


def test_the_table_names_every_place(world: World) -> None:
    """A place that is new here needs its row."""
    assert set(_TAKES) == set(world.places())


@pytest.mark.parametrize("place", _TAKES)
def test_a_handle_of_another_kind_is_refused(world: World, place: str) -> None:
    """NG-006, NG-052, CB-055, CB-102, TX-031, TX-032: in the words of the place alone."""
    taken, words = _TAKES[place]
    put = world.places()[place]
    for kind, handle in world.handles.items():
        if kind in taken:
            continue
        with unchanged(world.server):
            answer = put(handle)
        said = answer.json()
        word = (answer.status_code, said.get("error") or said.get("code"))
        assert word in words, (kind, place, answer.text)


def test_only_access_tokens_are_active(world: World) -> None:
    """IN-10, IN-21: whatever else is asked about is inactive, and no more is said."""
    active = {"access token", "delegated token"}
    for kind, handle in world.handles.items():
        told = world.introspect(handle)
        assert told["active"] is (kind in active), (kind, told)
        assert kind in active or told == {"active": False}


def test_giving_back_something_else_ends_nothing(world: World) -> None:
    """RV-05, RV-07: it is 200, since nobody is told what exists; and everything lives on."""
    for kind, handle in world.handles.items():
        if kind not in {"access token", "delegated token", "auth_req_id"}:
            with unchanged(world.server):
                assert world.revoke(handle).status_code == 200, kind
    for kind in ("access token", "delegated token"):
        assert world.introspect(world.handles[kind])["active"] is True
    assert world.person.client.approval(world.handles["approval"]).state == "pending"


@pytest.mark.parametrize("grant", AGENT_GRANTS)
def test_a_client_uses_no_grant_that_it_does_not_have(
    server: LiveServer, http: httpx.Client, world: World, grant: str
) -> None:
    """NG-090, CB-026, TX-001: an agent with each other grant, an app, a resource."""
    clients = [server.agent(grant_types=(other,)).basic for other in AGENT_GRANTS if other != grant]
    for auth in (*clients, world.resource.basic, world.app.basic):
        with unchanged(server):
            answer = http.post("/token", data={"grant_type": grant}, auth=auth)
        check_refusal(answer, 400, "unauthorized_client")


@pytest.mark.parametrize("path", ["/bc-authorize", "/introspect", "/revoke"])
def test_an_endpoint_refuses_the_kinds_of_clients_that_it_is_not_for(
    world: World, path: str
) -> None:
    """CB-026, IN-03: proven, and still not for them."""
    refused: dict[str, list[AgentKey]] = {
        "/bc-authorize": [world.app, world.resource],
        "/introspect": [],
        "/revoke": [world.resource],
    }
    form = {"token": "x", "scope": "openid payments:read", "login_hint": world.person.user}
    for client in refused[path]:
        with unchanged(world.server):
            answer = world.http.post(path, data=form, auth=client.basic)
        check_refusal(answer, 400, "unauthorized_client")

"""No handle passes for another kind: each is refused wherever another kind is expected.

No client passes for another kind of client or uses a grant that it lacks. Each position also
accepts its own kind, because one that refuses everything would pass otherwise.
"""

from collections.abc import Iterator

import httpx
import pytest

from server.protocol import names
from server.protocol.names import AGENT_GRANTS, APP_GRANTS, GRANT_ENROLLMENT
from tests.support.checks.refusals import assert_unchanged, check_refusal
from tests.support.clients.terminal import Terminal
from tests.support.inputs import handles
from tests.support.inputs.handle_endpoints import places, word
from tests.support.inputs.handles import World
from tests.support.servers.server import AgentKey, LiveServer

_INVALID = {(400, "invalid_request")}
_GRANT = {(400, "invalid_grant")}
_CLIENT = {(401, "invalid_client")}
_TOKEN = {(401, "invalid_token")}
_NAMED = {(404, "not_found")}
_PERSON = {*_INVALID, (400, "unknown_user_id"), (403, "access_denied")}
_ACCEPTED_KINDS: dict[str, tuple[set[str], set[tuple[int, str]]]] = {
    "basic name": ({"agent"}, _CLIENT),
    "basic password": ({"agent secret"}, _CLIENT),
    "client_assertion": ({"assertion"}, _CLIENT),
    "proof": ({"proof"}, {(400, "invalid_dpop_proof")}),
    "token of an invitation": ({"initial token"}, _TOKEN),
    "token of a registration": ({"registration token"}, _TOKEN),
    "auth_req_id": ({"auth_req_id"}, _GRANT),
    "subject_token": ({"delegated token", "single-use token"}, _INVALID),
    "subject_token of an app": ({"subject token"}, _INVALID),
    "subject_token that is an ID token": (set(), _INVALID),
    "actor_token": ({"access token"}, _INVALID),
    "login_hint": ({"user"}, _PERSON),
    "id_token_hint": ({"ID token"}, _INVALID),
    "login_hint_token": ({"login_hint_token", "subject token"}, _INVALID),
    "request": ({"request object"}, _INVALID),
    "token to consume": (
        {"single-use token"},
        {(403, "token_inactive"), (403, "not_single_use")},
    ),
    "code": ({"authorization code"}, _GRANT),
    "refresh_token of an app": ({"app's refresh token"}, _GRANT),
    "device_code of an app": ({"app's device code"}, _GRANT),
    "client_id of a sign-in": ({"app"}, {(400, "page")}),
    "request_uri": ({"request_uri"}, {(400, "page")}),
    "requested_actor": ({"agent"}, {(303, "invalid_request")}),
    "id_token_hint of a logout": ({"app's ID token"}, {(400, "page")}),
    "token of userinfo": ({"app's access token"}, _TOKEN),
    "code of enrollment": ({"enrollment code"}, _GRANT),
    "refresh_token": ({"refresh token"}, _GRANT),
    "device_code": ({"device code"}, _GRANT),
    "user code": ({"user code"}, {(400, "page")}),
    "token of the API": ({"session token"}, _TOKEN),
    "approval of the API": ({"approval"}, {(404, "not_found")}),
    "decision": ({"decision"}, {(422, "invalid_decision"), (403, "key_not_allowed")}),
    "statement": ({"statement"}, {(422, "invalid_statement"), (403, "key_not_allowed")}),
    "device of the API": ({"device"}, {(404, "not_found")}),
    "cookie of a passkey": ({"passkey cookie"}, {*_TOKEN, (401, "signed_out")}),
    "token of a page": ({"page token"}, {(403, "stale_page")}),
    "ticket of the feed": ({"feed ticket"}, {(401, "4401")}),
    "cookie of a sign-in": ({"sign-in cookie"}, {(303, "login_required")}),
    "flow to go on with": ({"sign-in flow"}, {(400, "page")}),
    "flow of a consent": ({"sign-in flow"}, {(400, "page")}),
    "token of a form": ({"form token"}, {(400, "page")}),
    "consent of the API": ({"consent"}, _NAMED),
    "standing grant of the API": ({"standing grant"}, _NAMED),
    "deputy of the API": ({"deputy"}, _NAMED),
    "push subscription of the API": ({"push subscription"}, _NAMED),
    "incident of the API": ({"incident"}, _NAMED),
    "invitation of the API": ({"invitation"}, _NAMED),
    "group of the API": ({"group"}, _NAMED),
}
"""Position → the kinds that it accepts, and its answers to all other kinds."""

_GRANTS = (*AGENT_GRANTS, *APP_GRANTS, GRANT_ENROLLMENT)
_ALL = {
    *("access token", "delegated token", "single-use token", "subject token", "session token"),
    *("ID token", "app's access token", "app's ID token", "refresh token", "app's refresh token"),
    *("authorization code", "enrollment code", "device code", "user code", "auth_req_id"),
    "app's device code",
    *("request_uri", "login_hint_token", "initial token", "registration token"),
    *("assertion", "proof", "request object", "signed introspection", "decision", "statement"),
    *("agent", "agent secret", "app", "app secret", "resource", "resource secret"),
    *("user", "group", "device", "approval", "nothing"),
    *("passkey cookie", "page token", "feed ticket"),
    *("sign-in cookie", "sign-in flow", "form token"),
    *("consent", "standing grant", "deputy", "incident", "invitation", "push subscription"),
}
_PREFIXES = {
    "PREFIX_USER": {"user"},
    "PREFIX_GROUP": {"group"},
    "PREFIX_AGENT": {"agent"},
    "PREFIX_RESOURCE": {"resource"},
    "PREFIX_APP": {"app"},
    "PREFIX_FLOW": {"sign-in flow"},
    "PREFIX_BROWSER": {"passkey cookie", "sign-in cookie"},
    "PREFIX_PUSH": {"push subscription"},
    "PREFIX_CODE": {"authorization code"},
    "PREFIX_PUSHED": {"request_uri"},
    "PREFIX_DEVICE": {"device"},
    "PREFIX_APPROVAL": {"approval"},
    "PREFIX_CONSENT": {"consent"},
    "PREFIX_STANDING_GRANT": {"standing grant"},
    "PREFIX_CLIENT_SECRET": {"agent secret", "app secret"},
    "PREFIX_RESOURCE_SECRET": {"resource secret"},
    "PREFIX_REFRESH_TOKEN": {"refresh token", "app's refresh token"},
    "PREFIX_AUTH_REQ_ID": {"auth_req_id"},
    "PREFIX_INVITATION": {"invitation"},
    "PREFIX_INCIDENT": {"incident"},
    "PREFIX_DEPUTY": {"deputy"},
    "PREFIX_INITIAL_TOKEN": {"initial token"},
    "PREFIX_REGISTRATION_TOKEN": {"registration token"},
    "PREFIX_DEVICE_CODE": {"device code", "app's device code"},
}
"""The kinds that begin with each of our prefixes; a new prefix needs its kind here."""
_NEVER_ACCEPTED = {
    "PREFIX_SIGN_IN": "a row's own name; a browser holds its cookie",
    "PREFIX_FAMILY": "a row's own name; an app holds its refresh token",
    "PREFIX_DEVICE_REQUEST": "a row's own name; a device holds its device code",
    "PREFIX_SESSION": "said in a terminal's token, and taken nowhere",
}
"""Prefixes of names that no position accepts."""


@pytest.fixture(scope="module")
def world(server: LiveServer, http: httpx.Client, person: Terminal) -> Iterator[World]:
    """A handle of every kind."""
    return handles.world(server, http, person)


def test_the_table_has_every_position_and_every_kind(world: World) -> None:
    """A new position needs a row in the table, and every accepted kind is collected."""
    assert set(_ACCEPTED_KINDS) == set(places(world))
    assert set(world.handles) == _ALL
    assert len(set(world.handles.values())) == len(_ALL)


def test_every_prefix_is_a_kind_of_handle_here(world: World) -> None:
    """A new kind in `names` is tried everywhere or is listed as accepted nowhere."""
    prefixes = {name for name in vars(names) if name.startswith("PREFIX_")}
    assert prefixes == {*_PREFIXES, *_NEVER_ACCEPTED}
    for prefix, kinds in _PREFIXES.items():
        begins = getattr(names, prefix)
        assert {k for k, h in world.handles.items() if h.startswith(begins)} == kinds, prefix


@pytest.mark.parametrize("place", _ACCEPTED_KINDS)
def test_a_handle_of_another_kind_is_refused(world: World, place: str) -> None:
    """NG-006, NG-052, CB-055, CB-102, TX-031, TX-032: the error is the usual one."""
    accepted, refusals = _ACCEPTED_KINDS[place]
    call = places(world)[place]
    for kind, handle in world.handles.items():
        if kind in accepted:
            continue
        with assert_unchanged(world.server):
            answer = call(handle)
        assert word(answer) in refusals, (kind, place, answer.text[:300])


def test_only_access_tokens_are_active(world: World) -> None:
    """IN-10, IN-21: any other handle is inactive, and nothing more is revealed."""
    active = {"access token", "delegated token", "single-use token"}
    for kind, handle in world.handles.items():
        reply = world.introspect(handle)
        assert reply["active"] is (kind in active), (kind, reply)
        assert kind in active or reply == {"active": False}


def test_revoking_another_kind_of_handle_ends_nothing(world: World) -> None:
    """RV-05, RV-07: the answer is 200, which reveals nothing, and everything stays valid."""
    revocable = {"access token", "delegated token", "single-use token", "auth_req_id"}
    for kind, handle in world.handles.items():
        if kind not in revocable:
            with assert_unchanged(world.server):
                assert world.revoke(handle).status_code == 200, kind
    for kind in ("access token", "delegated token"):
        assert world.introspect(world.handles[kind])["active"] is True
    assert world.person.client.approval(world.handles["approval"]).state == "pending"
    assert word(places(world)["token of userinfo"](world.handles["app's access token"]))[0] == 200


@pytest.mark.parametrize("grant", _GRANTS)
def test_a_client_cannot_use_a_grant_it_lacks(
    server: LiveServer, http: httpx.Client, world: World, grant: str
) -> None:
    """NG-090, CB-026, TX-001: this applies to agents, apps and resources."""
    clients = [server.agent(grant_types=(other,)).basic for other in AGENT_GRANTS if other != grant]
    clients.append(world.resource.basic)
    if grant not in APP_GRANTS:
        clients.append(world.app.basic)
    for auth in clients:
        with assert_unchanged(server):
            answer = http.post("/token", data={"grant_type": grant}, auth=auth)
        check_refusal(answer, 400, "unauthorized_client")


@pytest.mark.parametrize("path", ["/bc-authorize", "/introspect", "/revoke"])
def test_an_endpoint_refuses_other_kinds_of_clients(world: World, path: str) -> None:
    """CB-026, IN-03: an authenticated client of another kind is refused."""
    refused: dict[str, list[AgentKey]] = {
        "/bc-authorize": [world.app, world.resource],
        "/introspect": [],
        "/revoke": [world.resource],
    }
    form = {"token": "x", "scope": "openid payments:read", "login_hint": world.person.user}
    for client in refused[path]:
        with assert_unchanged(world.server):
            answer = world.http.post(path, data=form, auth=client.basic)
        check_refusal(answer, 400, "unauthorized_client")

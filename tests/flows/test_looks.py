"""GETs and forged forms from a signed-in user change nothing, at any URL."""

import re
from collections.abc import Iterator, Mapping, Sequence

import httpx
import pytest

from server.app import create_app, create_site
from server.protocol.names import name_id
from server.services.users.users import UserChanges, Users
from tests.support.browsers.web_person import WebPerson, new_web_person
from tests.support.builders.admins import add_incident
from tests.support.builders.clock import MovableClock
from tests.support.builders.installation import PAY
from tests.support.builders.site import admin_over
from tests.support.checks.log_and_rows import Rows, everything, stored_approval
from tests.support.clients.agent import Agent
from tests.support.servers.server import BY, LiveServer

_SHOW_SOMETHING = frozenset(
    {"/", "/r/<id>", "/done/<id>", "/grants", "/api/approvals/<id>", "/admin"}
)
_NAMES = re.compile(r"([\w-]+)/<")
_EXCLUDED = frozenset({"/api/feed"})
"""A GET of the socket's address is a handshake, which the feed's tests cover."""


Ids = Mapping[str, Sequence[str]]
"""The existing IDs, by the part of a URL that precedes them."""


@pytest.fixture
def admin(server: LiveServer) -> WebPerson:
    """A user with the roles of administrator and auditor."""
    person = new_web_person(server)
    users = Users(server.services.store, server.services.secrets)
    users.update(person.name, UserChanges(roles=("admin", "auditor")), by=BY)
    return person


@pytest.fixture
def ids(server: LiveServer, admin: WebPerson, agent: Agent) -> Ids:
    """IDs of every kind, most of which belong to the administrator and a different user."""
    other = new_web_person(server)
    services = admin_over(server.services, MovableClock(server.clock.now()))
    agent.request_approval(other.name)
    agent.request_approval(admin.name)
    decided = _pending_id(admin)
    assert admin.decide(decided, admin.assertion(decided)).is_success
    agent.request_approval(admin.name)
    user, others_pending = other.me["user"]["id"], _pending_id(other)
    approval = stored_approval(server, others_pending)
    approvals, agents = [decided, _pending_id(admin), others_pending], [agent.key.id]
    return {
        **dict.fromkeys(("approvals", "r", "done", "receipt"), approvals),
        **dict.fromkeys(("agents", "acting", "mutes"), agents),
        "resources": [name_id(PAY)],
        "actions": [name_id("payment.transfer")],
        "users": [user],
        "devices": [admin.me["device"]["id"], other.me["device"]["id"]],
        "consents": [services.consent(agent.key.id, user, f"sayso_co_{agent.key.name}").id],
        "grants": [services.standing_grant(approval, f"sayso_sg_{agent.key.name}").id],
        "delegations": [services.token(agent.key.id, user, f"sayso_at_{agent.key.name}").id],
        "incidents": [add_incident(services, approval, f"sayso_ic_{agent.key.name}")],
    }


def test_no_get_changes_a_row(server: LiveServer, admin: WebPerson, ids: Ids) -> None:
    """Form values in the address and a method override header make no GET change anything.

    A GET only marks the user's own pending requests as seen. The last step makes a real change, so
    that a change would be noticed.
    """
    paths, answered = list(_paths(server, ids)), set()
    before = _without_views(everything(server), admin)
    for rule, path, _ in paths:
        answer = _get_as_form(admin, "GET", path)
        if answer.is_success and rule not in answered:
            assert _get_as_form(admin, "HEAD", path).status_code == answer.status_code
            answered.add(rule)
    assert _without_views(everything(server), admin) == before
    assert answered >= _SHOW_SOMETHING
    _mute_notifications(admin, ids)
    assert _without_views(everything(server), admin) != before


def test_no_form_without_a_csrf_token_changes_a_row(
    server: LiveServer, admin: WebPerson, ids: Ids
) -> None:
    """A form with the cookie but without the token comes from another site or has no origin.

    The last step sends a form with the token, which does change a row.
    """
    paths = [(path, method) for _, path, methods in _paths(server, ids) for method in methods]
    token = admin.http.headers.pop("Sayso-Csrf")
    del admin.http.headers["Origin"], admin.http.headers["Sec-Fetch-Site"]
    before = _without_views(everything(server), admin)
    for path, method in paths:
        for origin in ({}, {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}):
            form = {"agent": ids["agents"][0], "theme": "dark", "csrf": "x"}
            answer = admin.http.request(method, path, data=form, headers=origin)
            assert answer.status_code != 500, (path, answer.text)
    assert _without_views(everything(server), admin) == before
    admin.http.headers["Sayso-Csrf"] = token
    _mute_notifications(admin, ids)
    assert _without_views(everything(server), admin) != before


def _mute_notifications(admin: WebPerson, ids: Ids) -> None:
    """Mutes an agent, which changes a row."""
    answer = admin.http.post("/api/attention/mutes", json={"agent": ids["agents"][0]})
    assert answer.is_success, answer.text


def _get_as_form(person: WebPerson, method: str, path: str) -> httpx.Response:
    """Sends a GET or HEAD with everything that might turn it into a form."""
    answer = person.http.request(
        method,
        path,
        params={"_method": "POST", "csrf": person.http.headers["Sayso-Csrf"]},
        headers={"X-HTTP-Method-Override": "POST", "X-HTTP-Method": "DELETE"},
    )
    assert answer.status_code != 500, (path, answer.text)
    return answer


def _pending_id(person: WebPerson) -> str:
    (item,) = person.http.get("/api/approvals?state=waiting").json()["items"]
    approval_id: str = item["id"]
    return approval_id


def _paths(server: LiveServer, ids: Ids) -> Iterator[tuple[str, str, set[str]]]:
    """Yields each rule, its addresses with existing IDs, and the methods that change something."""
    for rule in create_app(create_site(server.services)).url_map.iter_rules():
        methods = set(rule.methods or ()) - {"GET", "HEAD", "OPTIONS"}
        noun = _NAMES.search(rule.rule)
        for id_ in ids.get(noun[1], ["none"]) if noun else [""]:
            if rule.rule not in _EXCLUDED:
                yield rule.rule, rule.rule.replace("<id>", id_).replace("<digest>", id_), methods


def _without_views(rows: Rows, looked: WebPerson) -> Rows:
    """Removes the marks that the user has seen their own requests, and all counters."""
    own_ids = looked.me["device"]["id"], looked.me["user"]["id"]
    deliveries = [
        delivery for delivery in rows["deliveries"] if delivery["device_id"] != own_ids[0]
    ]
    approvals = [
        {**approval, "seen_at": None} if approval["user_id"] == own_ids[1] else approval
        for approval in rows["approvals"]
    ]
    return {**rows, "approvals": approvals, "deliveries": deliveries, "counters": []}

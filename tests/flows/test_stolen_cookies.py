"""A browser's cookie in another client can read data, but it cannot add power.

The other client sends every request as a page does, and signs with a passkey of its own. The same
form with the user's own passkey succeeds, so the passkey is the reason for each refusal.
"""

import json
from datetime import UTC, datetime

import pytest

from server.protocol import base64url
from server.services.policy.action_types import ActionTypes
from server.services.users.users import UserChanges, Users
from tests.support.browsers.web_person import WebPerson, enrolled, new_web_person, with_cookie_of
from tests.support.builders.admins import JWK
from tests.support.builders.installation import PAYMENT
from tests.support.checks.log_and_rows import entries, everything, subscriptions
from tests.support.clients.agent import CIBA, Agent, new_agent
from tests.support.fakes.push_service import PushService
from tests.support.inputs.agent_icons import png
from tests.support.servers.server import BY, LiveServer

RULES = """
[[rules]]
id = "no-mail"
because = "No agent sends mail."
outcome = "deny"
when.type = ["mail.*"]
"""
FORMS = [
    ("/devices/code", {}),
    ("/devices/{second}/vouch", {}),
    ("/settings/deputies", {"deputy": "{other}", "from": "{today}", "to": "{today}"}),
    ("/settings/user-code", {"code": "sparrow-27"}),
    ("/settings/user-code/end", {}),
    ("/admin/agents/{agent}/enable", {}),
    ("/admin/agents/{agent}/secret", {"overlap": "3600"}),
    ("/admin/agents/{agent}/keys/change", {"jwks": "{key}", "version": "{version}"}),
    ("/admin/agents/{agent}/icon/change", {"icon": "{icon}", "version": "{version}"}),
    ("/admin/new/invitation/add", {"owner": "{other}", f"grant_types-{CIBA}": "1"}),
    ("/admin/approvals/{asked}/escalate", {"to": "{other}"}),
    ("/admin/incidents/{incident}/close", {"note": "Looked into."}),
    ("/admin/users/{user}/code", {}),
    ("/admin/devices/{only device}/revoke", {}),
    ("/admin/new/user/add", {"name": "mallory"}),
    ("/admin/policy/set", {"document": RULES, "version": "{policy}"}),
    ("/admin/keys/rotate", {"alg": "ES256"}),
]
PROPOSAL = {"seconds": 3_600, "uses": 3, "sum": "30", "vary": [{"fact": "/amount", "up_to": "20"}]}


@pytest.fixture
def eva(server: LiveServer) -> WebPerson:
    """An administrator whose device is a passkey."""
    person = new_web_person(server)
    _users(server).update(person.name, UserChanges(roles=("admin",)), by=BY)
    return person


@pytest.fixture
def thief(eva: WebPerson) -> WebPerson:
    """A client with Eva's cookie and an unenrolled passkey that claims the ID of Eva's passkey."""
    return with_cookie_of(eva, eva.cookie)


@pytest.fixture
def names(server: LiveServer, eva: WebPerson, agent: Agent) -> dict[str, str]:
    """The values for the forms: a second device of Eva, a disabled agent, a different user."""
    second = enrolled(server, eva.name, _users(server).enroll(eva.name, by=BY)[1].code)
    eva.http.post(f"/api/agents/{agent.key.id}/disable").raise_for_status()
    other = new_web_person(server)
    return {
        "incident": _report_agent(eva, new_agent(server)),
        "asked": _ask_and_find(eva, new_agent(server)),
        "version": eva.http.get(f"/api/agents/{agent.key.id}").json()["version"],
        "policy": str(eva.http.get("/api/policy").json()["version"]),
        "key": json.dumps({**JWK, "kid": "another"}),
        "icon": base64url.encode(png()),
        "second": second.me["device"]["id"],
        "agent": agent.key.id,
        "user": other.me["user"]["id"],
        "only device": other.me["device"]["id"],
        "other": other.name,
        "today": datetime.fromtimestamp(server.clock.now() / 1000, UTC).date().isoformat(),
    }


@pytest.mark.parametrize(("place", "form"), FORMS, ids=[place for place, _ in FORMS])
def test_a_form_that_adds_power_requires_the_users_own_passkey(
    server: LiveServer,
    eva: WebPerson,
    thief: WebPerson,
    names: dict[str, str],
    place: str,
    form: dict[str, str],
) -> None:
    """A signature by another passkey is refused and changes no row; Eva's own passkey succeeds."""
    path = place.format(**names)
    filled = {
        name: value.format(**names) if "{" in value else value for name, value in form.items()
    }
    before = everything(server)
    refused = thief.sign(path, filled)
    assert refused.status_code == 422, refused.text
    assert everything(server) == before
    accepted = eva.sign(path, filled)
    assert accepted.status_code in {200, 303}, accepted.text
    assert everything(server) != before


def test_a_passkey_cannot_be_added_without_a_code(eva: WebPerson, thief: WebPerson) -> None:
    """A cookie does not replace an enrollment code, for a passkey or for a terminal."""
    for code in ("", "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA"):
        options = thief.http.post("/api/passkeys/options", json={"code": code})
        credential = {"name": "mine", **thief.passkey.made(b"a challenge of my own")}
        added = thief.http.post("/api/passkeys", json={"code": code, **credential})
        assert {options.status_code, added.status_code} <= {400, 401, 403, 422}
    keys = {"low": {}, "high": {}}
    terminal = thief.http.post("/api/devices", json={"name": "mine", "approval_keys": keys})
    assert terminal.status_code == 401
    assert [item["id"] for item in eva.http.get("/api/devices").json()["items"]] == [
        eva.me["device"]["id"]
    ]


def test_a_cookie_can_propose_but_not_create_a_standing_grant(
    server: LiveServer, eva: WebPerson, thief: WebPerson, agent: Agent
) -> None:
    """The proposal waits for the user like any request, and only their own signature creates it."""
    document = json.dumps({**PAYMENT, "risk": "low", "amount": "/amount", "target": "/payee"})
    ActionTypes(server.services.store).update(document, by=BY)
    amount = {"minor": 1_000, "currency": "EUR"}
    details = [{"type": "payment.transfer", "amount": amount, "payee": "Nord"}]
    agent.request_approval(eva.name, scope="openid", authorization_details=json.dumps(details))
    (example,) = _pending_ids(eva)
    proposed = thief.http.post("/api/grants", json={"approval": example, **PROPOSAL})
    assert proposed.status_code == 201, proposed.text
    proposal_id = proposed.json()["id"]
    refused = thief.decide(proposal_id, thief.assertion(proposal_id))
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_decision")
    assert eva.http.get("/api/grants").json()["items"] == []
    assert proposal_id in _pending_ids(eva)
    assert eva.decide(proposal_id, eva.assertion(proposal_id)).is_success
    assert len(eva.http.get("/api/grants").json()["items"]) == 1


def test_a_push_subscription_needs_our_own_page_and_is_shown_to_her(
    server: LiveServer, eva: WebPerson, thief: WebPerson
) -> None:
    """The cookie alone cannot add one; one added with a page's token is logged and shown."""
    subscription = PushService(443).mint().to_json()
    subscription["endpoint"] = "https://fcm.googleapis.com/fcm/send/somebody"
    blind = thief.http.post(
        "/api/push-subscriptions", json=subscription, headers={"Sayso-Csrf": "x"}
    )
    assert (blind.status_code, blind.json()["code"]) == (403, "stale_page")
    assert subscriptions(server, eva.name) == frozenset()
    added = thief.http.post("/api/push-subscriptions", json=subscription)
    assert added.is_success, added.text
    (item,) = eva.http.get("/api/push-subscriptions").json()["items"]
    assert item["id"] == added.json()["id"]
    assert len(entries(server, "push.subscribed", subject=eva.me["user"]["id"])) == 1


def test_the_cookie_is_not_a_token(eva: WebPerson, thief: WebPerson) -> None:
    """The cookie works neither as a terminal's token nor as a refresh token."""
    for method, path in (("GET", "/api/password"), ("GET", "/userinfo"), ("GET", "/api/users")):
        answer = thief.http.request(method, path, headers={"Authorization": f"DPoP {eva.cookie}"})
        assert answer.status_code == 401, (path, answer.text)
    refresh = {"grant_type": "refresh_token", "refresh_token": eva.http.cookies["sayso-passkey"]}
    assert thief.http.post("/token", data=refresh).status_code in {400, 401}


def _users(server: LiveServer) -> Users:
    return Users(server.services.store, server.services.secrets)


def _ask_and_find(person: WebPerson, agent: Agent) -> str:
    """Sends a request of this agent, the only pending one, and returns its ID."""
    agent.request_approval(person.name)
    (approval_id,) = _pending_ids(person)
    return approval_id


def _report_agent(person: WebPerson, agent: Agent) -> str:
    """Reports a request of this agent, which quarantines it, and returns the incident's ID."""
    approval_id = _ask_and_find(person, agent)
    assertion = person.assertion(approval_id, decision="deny", code="suspicious", ceremony="none")
    response = person.http.post(
        f"/api/approvals/{approval_id}/report", json={"decision": assertion}
    )
    incident: str = response.raise_for_status().json()["incident"]
    return incident


def _pending_ids(person: WebPerson) -> list[str]:
    items = person.http.get("/api/approvals?state=waiting").json()["items"]
    return [item["id"] for item in items]

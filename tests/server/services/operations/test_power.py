"""What gives more power, member by member; whatever nobody thought of does."""

from dataclasses import dataclass, fields, replace
from typing import Any

import pytest

from server.model.clients import Agent, App, Secret
from server.model.policy import ActionRow
from server.model.resources import Resource
from server.model.users import User
from server.protocol.policy.risks import Risk
from server.services.operations import power

KEY = {"kid": "a", "alg": "ES256"}
SECRET = Secret("s1", b"", "abcd", 0, 100, None)
AGENT = Agent(
    id="sayso_ag_a",
    name="bot",
    description="",
    auth_method="client_secret_basic",
    jwks=(KEY,),
    grant_types=("one",),
    delivery="poll",
    resources=("https://a.example",),
    scopes=("read",),
    action_types=("pay", "send"),
    asks=("ana", "ben"),
    owners=("ana", "ben"),
    secrets=(SECRET,),
    id_token_alg="ES256",
    state="disabled",
    expires_at=100,
    created_at=0,
    token_seconds=60,
)
USER = User("sayso_us_a", "ana", "a@b.example", ("auditor",), "disabled", 0)
RESOURCE = Resource(
    "https://a.example", {"read": Risk.LOW, "pay": Risk.HIGH}, {"pay": "payment", "read": "x"}, 0
)
APP = App(
    id="sayso_app_a",
    name="chat",
    auth_method="client_secret_basic",
    jwks=(KEY,),
    redirect_uris=("https://a.example/cb",),
    post_logout_redirect_uris=(),
    grant_types=("one",),
    resources=(),
    scopes=("read",),
    secrets=(SECRET,),
    id_token_alg="ES256",
    dpop_bound=True,
    state="disabled",
    created_at=0,
)
ACTION = ActionRow("payment", "{}", 1, 0)


@dataclass(frozen=True)
class _Wider(User):
    """A record with a member that the table does not know."""

    new: int = 0


USUAL = 300
MORE: dict[str, tuple[Any, dict[str, Any]]] = {
    "another resource": (AGENT, {"resources": ("https://a.example", "https://b.example")}),
    "a limit less": (replace(AGENT, only={"https://a.example": ()}), {"only": {}}),
    "a wider limit": (
        replace(AGENT, only={"https://a.example": ()}),
        {"only": {"https://a.example": ("read",)}},
    ),
    "requests without a user code": (
        replace(AGENT, takes_user_code=True),
        {"takes_user_code": False},
    ),
    "answers ahead for high risk": (AGENT, {"high_grants": True}),
    "somebody who answers instead": (USER, {"backup": "sayso_us_eve"}),
    "another scope": (AGENT, {"scopes": ("read", "pay")}),
    "another grant": (AGENT, {"grant_types": ("two",)}),
    "another owner": (AGENT, {"owners": ("ana", "eve")}),
    "another action type": (AGENT, {"action_types": ("pay", "other")}),
    "every action type": (AGENT, {"action_types": None}),
    "somebody else to ask": (AGENT, {"asks": ("eve",)}),
    "everybody to ask": (AGENT, {"asks": None}),
    "another secret": (AGENT, {"secrets": (SECRET, replace(SECRET, id="s2"))}),
    "a secret that lives longer": (AGENT, {"secrets": (replace(SECRET, expires_at=101),)}),
    "a secret that lives for ever": (AGENT, {"secrets": (replace(SECRET, expires_at=None),)}),
    "another key": (AGENT, {"jwks": ({**KEY, "kid": "b"},)}),
    "going on": (AGENT, {"state": "enabled"}),
    "a later end": (AGENT, {"expires_at": 101}),
    "no end": (AGENT, {"expires_at": None}),
    "a later review": (replace(AGENT, review_at=7), {"review_at": 8}),
    "no review": (replace(AGENT, review_at=7), {"review_at": None}),
    "another name elsewhere": (AGENT, {"external_id": "crm-7"}),
    "another name": (AGENT, {"name": "payroll"}),
    "another description": (AGENT, {"description": "Trust me"}),
    "another way to prove itself": (AGENT, {"auth_method": "client_secret_post"}),
    "another resource that it serves": (AGENT, {"serves": ("https://a.example",)}),
    "tokens that live longer": (AGENT, {"token_seconds": 61}),
    "tokens with a first limit": (replace(AGENT, token_seconds=None), {"token_seconds": 301}),
    "tokens with a first limit there": (RESOURCE, {"token_seconds": 301}),
    "tokens that live as long as any": (AGENT, {"token_seconds": None}),
    "a label more": (AGENT, {"labels": ("pilot",)}),
    "a label less": (replace(AGENT, labels=("pilot",)), {"labels": ()}),
    "another place to be called": (AGENT, {"notification_endpoint": "https://e.example"}),
    "tokens that anybody may use": (replace(AGENT, dpop_bound=True), {"dpop_bound": False}),
    "another way back": (APP, {"redirect_uris": ("https://evil.example/cb",)}),
    "an app that goes on": (APP, {"state": "enabled"}),
    "an app's other action": (replace(APP, action_types=()), {"action_types": ("payment",)}),
    "an app's every action": (replace(APP, action_types=()), {"action_types": None}),
    "an app's tokens that anybody may use": (APP, {"dpop_bound": False}),
    "an app's other secret": (APP, {"secrets": (replace(SECRET, id="s2"),)}),
    "an app's other name": (APP, {"name": "payroll"}),
    "a role": (USER, {"roles": ("admin", "auditor")}),
    "a user who goes on": (USER, {"state": "enabled"}),
    "another address": (USER, {"email": "eve@b.example"}),
    "another scope there": (RESOURCE, {"scopes": {**RESOURCE.scopes, "new": Risk.LOW}}),
    "less risk": (RESOURCE, {"scopes": {"read": Risk.LOW, "pay": Risk.MEDIUM}}),
    "one need less": (RESOURCE, {"requires": {"pay": "payment"}}),
    "another need": (RESOURCE, {"requires": {"pay": "gift", "read": "x"}}),
    "another secret there": (RESOURCE, {"secrets": (SECRET,)}),
    "another version of an action": (ACTION, {"document": "{ }", "version": 2}),
}
LESS: dict[str, tuple[Any, dict[str, Any]]] = {
    "nothing": (AGENT, {}),
    "fewer resources": (AGENT, {"resources": ()}),
    "a limited resource less": (
        replace(AGENT, only={"https://a.example": ("read",)}),
        {"resources": (), "only": {}},
    ),
    "fewer scopes": (AGENT, {"scopes": ()}),
    "tokens with a first limit": (replace(AGENT, token_seconds=None), {"token_seconds": 300}),
    "tokens with a first limit there": (RESOURCE, {"token_seconds": 300}),
    "fewer grants": (AGENT, {"grant_types": ()}),
    "fewer owners": (AGENT, {"owners": ("ben",)}),
    "fewer action types": (AGENT, {"action_types": ("send",)}),
    "some action types instead of all": (replace(AGENT, action_types=None), {"action_types": ()}),
    "fewer people to ask": (AGENT, {"asks": ("ben",)}),
    "some people instead of all": (replace(AGENT, asks=None), {"asks": ("ana",)}),
    "no secret": (AGENT, {"secrets": ()}),
    "a secret that ends earlier": (AGENT, {"secrets": (replace(SECRET, expires_at=99),)}),
    "the moment of its name": (AGENT, {"named_at": 7}),
    "a secret that was used": (AGENT, {"secrets": (replace(SECRET, last_used_at=7),)}),
    "no key": (AGENT, {"jwks": ()}),
    "a stop": (replace(AGENT, state="enabled"), {"state": "disabled"}),
    "an earlier end": (AGENT, {"expires_at": 99}),
    "a first review": (AGENT, {"review_at": 8}),
    "an earlier review": (replace(AGENT, review_at=7), {"review_at": 6}),
    "an end": (replace(AGENT, expires_at=None), {"expires_at": 99}),
    "tokens that live shorter": (AGENT, {"token_seconds": 59}),
    "tokens bound to a key": (AGENT, {"dpop_bound": True}),
    "no way back": (APP, {"redirect_uris": ()}),
    "an app with fewer actions": (APP, {"action_types": ()}),
    "an app with less": (APP, {"scopes": (), "secrets": (), "jwks": (), "grant_types": ()}),
    "an app that is stopped": (replace(APP, state="enabled"), {"state": "disabled"}),
    "no role": (USER, {"roles": ()}),
    "a stopped user": (replace(USER, state="enabled"), {"state": "disabled"}),
    "no address": (USER, {"email": None}),
    "nobody instead": (replace(USER, backup="sayso_us_eve"), {"backup": None}),
    "no answers ahead for high risk": (replace(AGENT, high_grants=True), {"high_grants": False}),
    "a scope less": (RESOURCE, {"scopes": {"read": Risk.LOW}, "requires": {"read": "x"}}),
    "more risk": (RESOURCE, {"scopes": {"read": Risk.CRITICAL, "pay": Risk.HIGH}}),
    "one need more": (replace(RESOURCE, requires={}), {"requires": {"pay": "payment"}}),
}


@pytest.mark.parametrize(("before", "changes"), MORE.values(), ids=MORE)
def test_this_gives_more_power(before: Any, changes: dict[str, Any]) -> None:
    """And the member in which it does is named."""
    grown = power.widened_members(before, replace(before, **changes), usual_seconds=USUAL)
    assert grown
    assert grown <= changes.keys()


@pytest.mark.parametrize(("before", "changes"), LESS.values(), ids=LESS)
def test_this_does_not(before: Any, changes: dict[str, Any]) -> None:
    """A session is enough for it."""
    assert (
        power.widened_members(before, replace(before, **changes), usual_seconds=USUAL)
        == frozenset()
    )


def test_a_member_that_nobody_thought_of_gives_more_power(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it is guarded from its first day."""
    monkeypatch.setattr(power, "_JUDGES", {_Wider: power._JUDGES[User]})
    before = _Wider("sayso_us_a", "ana", None, (), "enabled", 0)
    assert power.widened_members(before, replace(before, new=1), usual_seconds=USUAL) == {"new"}


def test_what_comes_gives_power_and_what_goes_does_not() -> None:
    """A record that was not there, and one that is there no more."""
    assert power.widened_members(None, AGENT, usual_seconds=USUAL) == {power.CREATED}
    assert power.widened_members(AGENT, None, usual_seconds=USUAL) == frozenset()
    assert power.widened_members(None, None, usual_seconds=USUAL) == frozenset()


def test_a_version_names_what_a_record_says_now() -> None:
    """Every member counts, and when a secret was last used does not."""
    used = replace(AGENT, secrets=(replace(SECRET, last_used_at=7),))
    assert power.version(used) == power.version(AGENT)
    assert power.version(replace(AGENT, secrets=())) != power.version(AGENT)
    for record in (AGENT, USER, RESOURCE, ACTION):
        same = {field.name: getattr(record, field.name) for field in fields(record)}
        assert power.version(type(record)(**same)) == power.version(record)
    changed = {**RESOURCE.scopes, "read": Risk.HIGH}
    assert power.version(replace(RESOURCE, scopes=changed)) != power.version(RESOURCE)

"""Which changes to a record widen its power, member by member; unknown members count as wider."""

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
class _UserWithNewMember(User):
    """A record with a member that the table does not know."""

    new: int = 0


DEFAULT_TOKEN_SECONDS = 300
WIDER: dict[str, tuple[Any, dict[str, Any]]] = {
    "another resource": (AGENT, {"resources": ("https://a.example", "https://b.example")}),
    "a limit removed": (replace(AGENT, only={"https://a.example": ()}), {"only": {}}),
    "a wider limit": (
        replace(AGENT, only={"https://a.example": ()}),
        {"only": {"https://a.example": ("read",)}},
    ),
    "requests without a user code": (
        replace(AGENT, takes_user_code=True),
        {"takes_user_code": False},
    ),
    "standing grants for high risk": (AGENT, {"high_grants": True}),
    "a backup": (USER, {"backup": "sayso_us_eve"}),
    "another scope": (AGENT, {"scopes": ("read", "pay")}),
    "another grant": (AGENT, {"grant_types": ("two",)}),
    "another owner": (AGENT, {"owners": ("ana", "eve")}),
    "another action type": (AGENT, {"action_types": ("pay", "other")}),
    "every action type": (AGENT, {"action_types": None}),
    "another user to ask": (AGENT, {"asks": ("eve",)}),
    "every user to ask": (AGENT, {"asks": None}),
    "another secret": (AGENT, {"secrets": (SECRET, replace(SECRET, id="s2"))}),
    "a secret that expires later": (AGENT, {"secrets": (replace(SECRET, expires_at=101),)}),
    "a secret without expiry": (AGENT, {"secrets": (replace(SECRET, expires_at=None),)}),
    "another key": (AGENT, {"jwks": ({**KEY, "kid": "b"},)}),
    "an enabled agent": (AGENT, {"state": "enabled"}),
    "a later expiry": (AGENT, {"expires_at": 101}),
    "no expiry": (AGENT, {"expires_at": None}),
    "a later review": (replace(AGENT, review_at=7), {"review_at": 8}),
    "no review": (replace(AGENT, review_at=7), {"review_at": None}),
    "another external id": (AGENT, {"external_id": "crm-7"}),
    "another name": (AGENT, {"name": "payroll"}),
    "another description": (AGENT, {"description": "Trust me"}),
    "another authentication method": (AGENT, {"auth_method": "client_secret_post"}),
    "another served resource": (AGENT, {"serves": ("https://a.example",)}),
    "a longer token lifetime": (AGENT, {"token_seconds": 61}),
    "a first token lifetime limit": (replace(AGENT, token_seconds=None), {"token_seconds": 301}),
    "a first token lifetime limit of a resource": (RESOURCE, {"token_seconds": 301}),
    "no token lifetime limit": (AGENT, {"token_seconds": None}),
    "a label added": (AGENT, {"labels": ("pilot",)}),
    "a label removed": (replace(AGENT, labels=("pilot",)), {"labels": ()}),
    "another notification endpoint": (AGENT, {"notification_endpoint": "https://e.example"}),
    "bearer tokens": (replace(AGENT, dpop_bound=True), {"dpop_bound": False}),
    "another redirect URI": (APP, {"redirect_uris": ("https://evil.example/cb",)}),
    "an enabled app": (APP, {"state": "enabled"}),
    "another action type of an app": (
        replace(APP, action_types=()),
        {"action_types": ("payment",)},
    ),
    "every action type of an app": (replace(APP, action_types=()), {"action_types": None}),
    "bearer tokens of an app": (APP, {"dpop_bound": False}),
    "requests of an app that are not pushed": (
        replace(APP, requires_par=True),
        {"requires_par": False},
    ),
    "another secret of an app": (APP, {"secrets": (replace(SECRET, id="s2"),)}),
    "another name of an app": (APP, {"name": "payroll"}),
    "a role": (USER, {"roles": ("admin", "auditor")}),
    "an enabled user": (USER, {"state": "enabled"}),
    "another e-mail address": (USER, {"email": "eve@b.example"}),
    "another scope of a resource": (RESOURCE, {"scopes": {**RESOURCE.scopes, "new": Risk.LOW}}),
    "a lower risk": (RESOURCE, {"scopes": {"read": Risk.LOW, "pay": Risk.MEDIUM}}),
    "a required type removed": (RESOURCE, {"requires": {"pay": "payment"}}),
    "another required type": (RESOURCE, {"requires": {"pay": "gift", "read": "x"}}),
    "another secret of a resource": (RESOURCE, {"secrets": (SECRET,)}),
    "a resource open to unknown apps": (RESOURCE, {"unknown_clients": True}),
    "another version of an action": (ACTION, {"document": "{ }", "version": 2}),
}
NOT_WIDER: dict[str, tuple[Any, dict[str, Any]]] = {
    "no change": (AGENT, {}),
    "fewer resources": (AGENT, {"resources": ()}),
    "a limited resource removed": (
        replace(AGENT, only={"https://a.example": ("read",)}),
        {"resources": (), "only": {}},
    ),
    "fewer scopes": (AGENT, {"scopes": ()}),
    "a first token lifetime limit": (replace(AGENT, token_seconds=None), {"token_seconds": 300}),
    "a first token lifetime limit of a resource": (RESOURCE, {"token_seconds": 300}),
    "fewer grants": (AGENT, {"grant_types": ()}),
    "fewer owners": (AGENT, {"owners": ("ben",)}),
    "fewer action types": (AGENT, {"action_types": ("send",)}),
    "some action types instead of all": (replace(AGENT, action_types=None), {"action_types": ()}),
    "fewer people to ask": (AGENT, {"asks": ("ben",)}),
    "some people instead of all": (replace(AGENT, asks=None), {"asks": ("ana",)}),
    "no secret": (AGENT, {"secrets": ()}),
    "a secret that expires earlier": (AGENT, {"secrets": (replace(SECRET, expires_at=99),)}),
    "the time of its name": (AGENT, {"named_at": 7}),
    "a secret that was used": (AGENT, {"secrets": (replace(SECRET, last_used_at=7),)}),
    "no key": (AGENT, {"jwks": ()}),
    "a disabled agent": (replace(AGENT, state="enabled"), {"state": "disabled"}),
    "an earlier expiry": (AGENT, {"expires_at": 99}),
    "a first review": (AGENT, {"review_at": 8}),
    "an earlier review": (replace(AGENT, review_at=7), {"review_at": 6}),
    "an expiry": (replace(AGENT, expires_at=None), {"expires_at": 99}),
    "a shorter token lifetime": (AGENT, {"token_seconds": 59}),
    "tokens bound to a key": (AGENT, {"dpop_bound": True}),
    "only pushed requests of an app": (APP, {"requires_par": True}),
    "no redirect URI": (APP, {"redirect_uris": ()}),
    "an app with fewer actions": (APP, {"action_types": ()}),
    "an app with fewer permissions": (
        APP,
        {"scopes": (), "secrets": (), "jwks": (), "grant_types": ()},
    ),
    "a disabled app": (replace(APP, state="enabled"), {"state": "disabled"}),
    "no role": (USER, {"roles": ()}),
    "a disabled user": (replace(USER, state="enabled"), {"state": "disabled"}),
    "no e-mail address": (USER, {"email": None}),
    "no backup": (replace(USER, backup="sayso_us_eve"), {"backup": None}),
    "no standing grants for high risk": (replace(AGENT, high_grants=True), {"high_grants": False}),
    "a scope removed": (RESOURCE, {"scopes": {"read": Risk.LOW}, "requires": {"read": "x"}}),
    "a higher risk": (RESOURCE, {"scopes": {"read": Risk.CRITICAL, "pay": Risk.HIGH}}),
    "a resource closed to unknown apps": (
        replace(RESOURCE, unknown_clients=True),
        {"unknown_clients": False},
    ),
    "a default scope": (RESOURCE, {"default_scopes": ("read",)}),
    "another claimed name of an app": (APP, {"claimed_name": "Chat"}),
    "a required type added": (replace(RESOURCE, requires={}), {"requires": {"pay": "payment"}}),
}


@pytest.mark.parametrize(("before", "changes"), WIDER.values(), ids=WIDER)
def test_the_change_widens_power(before: Any, changes: dict[str, Any]) -> None:
    """The result names the widened member."""
    widened = power.widened_members(
        before, replace(before, **changes), default_seconds=DEFAULT_TOKEN_SECONDS
    )
    assert widened
    assert widened <= changes.keys()


@pytest.mark.parametrize(("before", "changes"), NOT_WIDER.values(), ids=NOT_WIDER)
def test_the_change_does_not_widen_power(before: Any, changes: dict[str, Any]) -> None:
    """A session is enough to make the change."""
    assert (
        power.widened_members(
            before, replace(before, **changes), default_seconds=DEFAULT_TOKEN_SECONDS
        )
        == frozenset()
    )


def test_an_unknown_member_widens_power(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new member is protected from the day on which it is added."""
    monkeypatch.setattr(power, "_COMPARISONS", {_UserWithNewMember: power._COMPARISONS[User]})
    before = _UserWithNewMember("sayso_us_a", "ana", None, (), "enabled", 0)
    assert power.widened_members(
        before, replace(before, new=1), default_seconds=DEFAULT_TOKEN_SECONDS
    ) == {"new"}


def test_creating_a_record_widens_power_and_deleting_does_not() -> None:
    """A missing record counts as a record without power."""
    assert power.widened_members(None, AGENT, default_seconds=DEFAULT_TOKEN_SECONDS) == {
        power.CREATED
    }
    assert power.widened_members(AGENT, None, default_seconds=DEFAULT_TOKEN_SECONDS) == frozenset()
    assert power.widened_members(None, None, default_seconds=DEFAULT_TOKEN_SECONDS) == frozenset()


def test_the_version_of_a_record_changes_with_every_member() -> None:
    """The only exception is the time when a secret was last used."""
    used = replace(AGENT, secrets=(replace(SECRET, last_used_at=7),))
    assert power.version(used) == power.version(AGENT)
    assert power.version(replace(AGENT, secrets=())) != power.version(AGENT)
    for record in (AGENT, USER, RESOURCE, ACTION):
        same = {field.name: getattr(record, field.name) for field in fields(record)}
        assert power.version(type(record)(**same)) == power.version(record)
    changed = {**RESOURCE.scopes, "read": Risk.HIGH}
    assert power.version(replace(RESOURCE, scopes=changed)) != power.version(RESOURCE)

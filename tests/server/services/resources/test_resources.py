"""Resources: valid URIs, scopes and secrets, and what ends when a resource is deleted."""

import hashlib
import json

import pytest

from server.protocol.approvals.states import State
from server.protocol.names import name_id
from server.protocol.policy.risks import Risk
from server.services.clients.agent_forms import NewAgent
from server.services.clients.app_forms import NewApp
from server.services.refusals import Exists, Invalid, NotFound
from server.services.resources.resources import ResourceChanges
from server.services.users.users import NewUser
from tests.support.browsers.browser import CALLBACK
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, PAY, PAYMENT, add_user, register_agent


def _update(admin_services, **changes):
    return admin_services.resources.update(PAY, ResourceChanges(**changes), by=BY)


def test_a_resource_is_registered_with_the_risk_of_each_scope(admin_services):
    """The registration writes an audit entry."""
    resource = admin_services.resources.add(PAY, {"pay": Risk.HIGH}, {}, by=BY).resource
    assert admin_services.resources.show(PAY) == resource
    assert resource.scopes == {"pay": Risk.HIGH}
    assert admin_services.entries("resource.added")[0]["resource"] == PAY


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "pay",
        "/pay",
        "urn:pay",
        "ftp://pay.example",
        "http://pay.example",
        "https://pay.example#top",
        "https://ana@pay.example",
        "https://",
        "https://pay.example/\x1b[2J",
        "https://pay.example/a b",
        "https://pay.example:port",
        "javascript:alert(1)",
        "https://" + "a" * 3_000,
    ],
)
def test_an_invalid_resource_uri_is_refused(admin_services, uri):
    """RFC 8707 2: absolute, with https except on this machine, without user and fragment."""
    with pytest.raises(Invalid, match="The resource must"):
        admin_services.resources.add(uri, {}, {}, by=BY)
    assert admin_services.resources.all() == []


@pytest.mark.parametrize(
    "uri",
    [
        "http://localhost:8470",
        "http://localhost:8470/",
        "http://localhost:8470/api",
        "http://LOCALHOST:8470/api",
        "http://127.0.0.1:8470/api/devices",
        "http://[::1]:8470/%61pi",
        "http://localhost:8470/x/../api",
        "http://localhost:8470?api",
    ],
)
def test_the_api_of_sayso_cannot_be_a_resource(admin_services, uri):
    """A token for the API could be mistaken for the token of a person's device."""
    with pytest.raises(Invalid, match="belongs to Sayso"):
        admin_services.resources.add(uri, {}, {}, by=BY)
    assert admin_services.resources.all() == []


@pytest.mark.parametrize("uri", ["http://localhost:9000", "http://127.0.0.1/x", "http://[::1]:1"])
def test_a_resource_on_this_machine_may_use_http(admin_services, uri):
    """A developer can try Sayso without a certificate."""
    assert admin_services.resources.add(uri, {}, {}, by=BY).resource.uri == uri


@pytest.mark.parametrize("scope", ["", "a b", 'a"b', "a\\b", "é", "a\x1b", "openid", "email"])
def test_an_invalid_scope_is_refused(admin_services, scope):
    """RFC 6749 3.3 defines the characters, and the OpenID scopes are reserved."""
    with pytest.raises(Invalid):
        admin_services.resources.add(PAY, {scope: Risk.LOW}, {}, by=BY)


def test_adding_an_existing_resource_is_refused(admin_services):
    """The existing resource does not change."""
    admin_services.resources.add(PAY, {"pay": Risk.HIGH}, {}, by=BY)
    with pytest.raises(Exists):
        admin_services.resources.add(PAY, {"pay": Risk.LOW}, {}, by=BY)
    assert admin_services.resources.show(PAY).scopes == {"pay": Risk.HIGH}


def test_scopes_are_added_changed_and_removed(admin_services):
    """An update keeps the scopes that it does not name."""
    admin_services.resources.add(PAY, {"read": Risk.LOW, "pay": Risk.HIGH}, {}, by=BY)
    changes = ResourceChanges(
        scopes={"pay": Risk.CRITICAL, "new": Risk.LOW}, remove_scopes=("read",)
    )
    resource = admin_services.resources.update(PAY, changes, by=BY)
    assert resource.scopes == {"pay": Risk.CRITICAL, "new": Risk.LOW}
    assert admin_services.resources.show(PAY) == resource
    with pytest.raises(Invalid, match="has no scope read"):
        _update(admin_services, remove_scopes=("read",))


def test_a_scope_may_require_a_registered_action_type(admin_services):
    """An unregistered type is refused, because no request could contain it."""
    with pytest.raises(NotFound, match=r"no action type payment\.transfer"):
        admin_services.resources.add(PAY, {"pay": Risk.HIGH}, {"pay": "payment.transfer"}, by=BY)
    admin_services.actions.add(json.dumps(PAYMENT), by=BY)
    resource = admin_services.resources.add(
        PAY, {"pay": Risk.HIGH}, {"pay": "payment.transfer"}, by=BY
    ).resource
    assert resource.requires == {"pay": "payment.transfer"}
    with pytest.raises(Invalid):
        _update(admin_services, requires={"x": "payment.transfer"})
    assert _update(admin_services, requires={"pay": ""}).requires == {}


def test_removing_a_scope_removes_its_required_type(admin_services):
    """No requirement is left for a removed scope."""
    admin_services.actions.add(json.dumps(PAYMENT), by=BY)
    admin_services.resources.add(PAY, {"pay": Risk.HIGH}, {"pay": "payment.transfer"}, by=BY)
    assert _update(admin_services, remove_scopes=("pay",)).requires == {}


def test_deleting_a_resource_cancels_requests_and_narrows_agents(admin_services):
    """The agents lose the resource and the scopes that only this resource has."""
    admin = add_user(admin_services)
    agent = register_agent(admin_services).agent
    admin_services.resources.add("https://mail.example", {"payments:read": Risk.LOW}, {}, by=BY)
    mailer = register_agent(admin_services, "mailer", resources=(PAY, "https://mail.example")).agent
    approval = admin_services.approval(agent.id, admin.id)
    deleted = admin_services.resources.delete(PAY, by=BY)
    assert deleted.requests_cancelled == 1
    assert deleted.agents_narrowed == ("invoice-bot", "mailer")
    assert admin_services.state(approval) == (State.CANCELLED, "resource_deleted")
    assert admin_services.agents.show(agent.id)[0].resources == ()
    assert admin_services.agents.show(agent.id)[0].scopes == ()
    assert admin_services.agents.show(mailer.id)[0].resources == ("https://mail.example",)
    assert admin_services.agents.show(mailer.id)[0].scopes == ("payments:read",)


@pytest.mark.parametrize(
    "call",
    [
        lambda resources, uri: resources.show(uri),
        lambda resources, uri: resources.update(uri, ResourceChanges(), by=BY),
        lambda resources, uri: resources.delete(uri, by=BY),
    ],
    ids=["show", "update", "delete"],
)
def test_an_unknown_resource_is_not_found(admin_services, call):
    """URIs are compared exactly, except for a trailing slash."""
    admin_services.resources.add(PAY, {}, {}, by=BY)
    with pytest.raises(NotFound, match="no resource "):
        call(admin_services.resources, f"{PAY}/v2")


def test_an_update_without_effect_writes_no_entry(admin_services):
    """A script can repeat the command without filling the audit log."""
    before = admin_services.resources.add(PAY, {"pay": Risk.HIGH}, {}, by=BY).resource
    changes = ResourceChanges(scopes={"pay": Risk.HIGH})
    assert admin_services.resources.update(PAY, changes, by=BY) == before
    assert admin_services.entries("resource.updated") == []


def test_a_resource_has_at_most_two_hundred_scopes(admin_services):
    """An update that would exceed the limit is refused."""
    names = {f"scope:{number}": Risk.LOW for number in range(200)}
    admin_services.resources.add(PAY, names, {}, by=BY)
    with pytest.raises(Invalid, match="200"):
        _update(admin_services, scopes={"one:more": Risk.LOW})
    assert len(admin_services.resources.show(PAY).scopes) == 200


def test_registering_a_resource_returns_its_secret_once(admin_services):
    """The secret is stored as a hash and not in the audit log."""
    registration = admin_services.resources.add(PAY, {}, {}, by=BY)
    assert registration.resource.client_id.startswith("sayso_rs_")
    assert registration.secret.startswith("sayso_rk_")
    (stored_secret,) = admin_services.resources.show(PAY).secrets
    assert stored_secret.hash == hashlib.sha256(registration.secret.encode()).digest()
    assert stored_secret.hint == registration.secret[-4:]
    assert registration.secret not in str(admin_services.entries())


def test_two_secrets_work_during_the_overlap_of_a_rotation(admin_services):
    """The old secret expires, and the next rotation deletes it."""
    first = admin_services.resources.add(PAY, {"pay": Risk.LOW}, {}, by=BY).resource
    second = admin_services.resources.rotate_secret(PAY, by=BY, overlap_ms=5 * MINUTE).resource
    assert second.client_id == first.client_id
    assert second.scopes == first.scopes
    assert [secret.expires_at for secret in second.secrets] == [
        admin_services.clock.now() + 5 * MINUTE,
        None,
    ]
    admin_services.clock.forward(5 * MINUTE)
    third = admin_services.resources.rotate_secret(PAY, by=BY)
    assert [secret.hint for secret in third.resource.secrets] == [
        second.secrets[1].hint,
        third.secret[-4:],
    ]
    assert third.resource == admin_services.resources.show(PAY)
    assert [
        entry["facts"]["working"] for entry in admin_services.entries("resource.secret_rotated")
    ] == [
        2,
        2,
    ]


def test_rotating_without_overlap_ends_the_old_secret_immediately(admin_services):
    """An overlap of zero is meant for a leaked secret."""
    admin_services.resources.add(PAY, {}, {}, by=BY)
    rotation = admin_services.resources.rotate_secret(PAY, by=BY, overlap_ms=0)
    assert [secret.hint for secret in rotation.resource.secrets] == [rotation.secret[-4:]]


@pytest.mark.parametrize("overlap", [-1, 31 * 24 * 60 * MINUTE])
def test_an_overlap_of_more_than_thirty_days_is_refused(admin_services, overlap):
    """The limit is the same for the secrets of agents."""
    admin_services.resources.add(PAY, {}, {}, by=BY)
    with pytest.raises(Invalid, match="30 days"):
        admin_services.resources.rotate_secret(PAY, by=BY, overlap_ms=overlap)


def test_changing_scopes_keeps_the_secrets(admin_services):
    """Only deleting the resource deletes its secrets."""
    admin_services.resources.add(PAY, {}, {}, by=BY)
    _update(admin_services, scopes={"pay": Risk.LOW})
    resource = admin_services.resources.show(PAY)
    assert len(resource.secrets) == 1
    admin_services.resources.delete(PAY, by=BY)
    with admin_services.store.read() as view:
        assert view.directory.resource_client(resource.client_id) is None
    with pytest.raises(NotFound):
        admin_services.resources.rotate_secret(PAY, by=BY)


def test_a_token_lifetime_limit_is_set_kept_and_removed(admin_services):
    """The limit must be within bounds, and other updates keep it."""
    for seconds in (9, 3_601):
        with pytest.raises(Invalid, match="10 to 3600"):
            admin_services.resources.add(PAY, {}, {}, by=BY, token_seconds=seconds)
    assert (
        admin_services.resources.add(PAY, {}, {}, by=BY, token_seconds=60).resource.token_seconds
        == 60
    )
    with pytest.raises(Invalid, match="10 to 3600"):
        _update(admin_services, token_seconds=9)
    for changes, expected in (
        (ResourceChanges(scopes={"new": Risk.LOW}), 60),
        (ResourceChanges(token_seconds=30), 30),
        (ResourceChanges(token_seconds=None), None),
    ):
        assert admin_services.resources.update(PAY, changes, by=BY).token_seconds == expected
        assert admin_services.resources.show(PAY).token_seconds == expected


def test_a_resource_is_found_by_its_path_id(admin_services):
    """An unknown path ID is not found."""
    for uri in ("https://b.example", "https://a.example"):
        admin_services.resources.add(uri, {}, {}, by=BY)
    assert admin_services.resources.by_id(name_id("https://b.example")).uri == "https://b.example"
    with pytest.raises(NotFound):
        admin_services.resources.by_id("nothing")
    page = admin_services.resources.page("https://a.example", 5)
    assert ([resource.uri for resource in page.items], page.next) == (["https://b.example"], None)


def test_a_trailing_slash_does_not_make_a_different_resource(admin_services):
    """Either form of the URI finds, changes and deletes the registered resource."""
    admin_services.resources.add(f"{PAY}/", {"read": Risk.LOW}, {}, by=BY)
    with pytest.raises(Exists, match=f"{PAY}/ is already registered; a trailing slash"):
        admin_services.resources.add(PAY, {}, {}, by=BY)
    assert admin_services.resources.show(PAY).uri == f"{PAY}/"
    admin_services.resources.rotate_secret(PAY, by=BY)
    assert admin_services.entries("resource.secret_rotated")[0]["resource"] == f"{PAY}/"
    changed = _update(admin_services, scopes={"pay": Risk.HIGH})
    assert admin_services.resources.all() == [admin_services.resources.show(f"{PAY}/")]
    assert set(changed.scopes) == {"read", "pay"}
    assert admin_services.resources.delete(PAY, by=BY).resource.uri == f"{PAY}/"
    assert admin_services.resources.all() == []


def test_a_client_stores_the_registered_form_of_a_resource(admin_services):
    """Otherwise, its permissions would name a resource that does not exist."""
    admin_services.resources.add(f"{PAY}/", {"read": Risk.LOW}, {}, by=BY)
    admin_services.users.add(NewUser("ana"), by=BY)
    new = NewAgent(
        "bot",
        owners=("ana",),
        resources=(PAY,),
        scopes=("read",),
        serves=(PAY,),
        only={PAY: ()},
    )
    agent = admin_services.agents.add(new, by=BY).agent
    assert (agent.resources, agent.serves, dict(agent.only)) == (
        (f"{PAY}/",),
        (f"{PAY}/",),
        {f"{PAY}/": ()},
    )
    app = admin_services.apps.add(
        NewApp("chat", (CALLBACK,), resources=(PAY,), scopes=("read",)), by=BY
    ).app
    assert app.resources == (f"{PAY}/",)


def test_a_resource_has_default_scopes(admin_services):
    """Removing a scope also removes it from the default scopes."""
    registration = admin_services.resources.add(
        PAY, {"write": Risk.MEDIUM, "read": Risk.LOW}, {}, by=BY, default_scopes=["write", "read"]
    )
    assert registration.resource.default_scopes == ("read", "write")
    assert admin_services.entries("resource.added")[0]["facts"]["default_scopes"] == [
        "read",
        "write",
    ]
    assert _update(admin_services).default_scopes == (
        "read",
        "write",
    )
    assert _update(admin_services, remove_scopes=("write",)).default_scopes == ("read",)
    cleared = _update(admin_services, default_scopes=())
    assert cleared == admin_services.resources.show(PAY)
    assert cleared.default_scopes == ()


@pytest.mark.parametrize(
    ("default", "message"),
    [
        ("other", "has no scope other"),
        ("all", "an approval each time"),
        ("pay", "an approval each time"),
    ],
)
def test_a_scope_that_no_consent_can_include_cannot_be_a_default(admin_services, default, message):
    """A default must not lead to a request that is always refused."""
    admin_services.actions.add(json.dumps(PAYMENT), by=BY)
    scopes = {"pay": Risk.LOW, "all": Risk.CRITICAL}
    with pytest.raises(Invalid, match=message) as refused:
        admin_services.resources.add(
            PAY, scopes, {"pay": "payment.transfer"}, by=BY, default_scopes=[default]
        )
    assert refused.value.member == "default_scopes"

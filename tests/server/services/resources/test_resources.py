"""Protected APIs: what may be one, and what ends when one is forgotten."""

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
from tests.support.builders.installation import BY, PAY, PAYMENT, admitted, registered


def test_a_resource_is_registered_with_the_risk_of_each_scope(desk):
    """What is not given is not there."""
    resource = desk.resources.add(PAY, {"pay": Risk.HIGH}, {}, by=BY).resource
    assert desk.resources.show(PAY) == resource
    assert resource.scopes == {"pay": Risk.HIGH}
    assert desk.entries("resource.added")[0]["resource"] == PAY


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
def test_what_cannot_name_a_resource_is_refused(desk, uri):
    """Absolute, https unless it is this machine, without user and fragment (RFC 8707 2)."""
    with pytest.raises(Invalid, match="The resource must"):
        desk.resources.add(uri, {}, {}, by=BY)
    assert desk.resources.all() == []


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
def test_our_own_api_is_no_resource(desk, uri):
    """A token for it would let an agent speak as a person's device, or look as if it could."""
    with pytest.raises(Invalid, match="belongs to Sayso"):
        desk.resources.add(uri, {}, {}, by=BY)
    assert desk.resources.all() == []


@pytest.mark.parametrize("uri", ["http://localhost:9000", "http://127.0.0.1/x", "http://[::1]:1"])
def test_this_machine_may_be_http(desk, uri):
    """Somebody who tries things out has no certificate."""
    assert desk.resources.add(uri, {}, {}, by=BY).resource.uri == uri


@pytest.mark.parametrize("scope", ["", "a b", 'a"b', "a\\b", "é", "a\x1b", "openid", "email"])
def test_what_cannot_be_a_scope_is_refused(desk, scope):
    """The alphabet of RFC 6749 3.3, without the words that OpenID owns."""
    with pytest.raises(Invalid):
        desk.resources.add(PAY, {scope: Risk.LOW}, {}, by=BY)


def test_adding_what_exists_is_refused(desk):
    """The one that is there stays as it is."""
    desk.resources.add(PAY, {"pay": Risk.HIGH}, {}, by=BY)
    with pytest.raises(Exists):
        desk.resources.add(PAY, {"pay": Risk.LOW}, {}, by=BY)
    assert desk.resources.show(PAY).scopes == {"pay": Risk.HIGH}


def test_scopes_come_change_and_go(desk):
    """What is not named stays."""
    desk.resources.add(PAY, {"read": Risk.LOW, "pay": Risk.HIGH}, {}, by=BY)
    changes = ResourceChanges(scopes={"pay": Risk.CRITICAL, "new": Risk.LOW}, without=("read",))
    resource = desk.resources.update(PAY, changes, by=BY)
    assert resource.scopes == {"pay": Risk.CRITICAL, "new": Risk.LOW}
    assert desk.resources.show(PAY) == resource
    with pytest.raises(Invalid, match="has no scope read"):
        desk.resources.update(PAY, ResourceChanges(without=("read",)), by=BY)


def test_a_scope_may_need_a_registered_action_type(desk):
    """An unregistered one could never be satisfied."""
    with pytest.raises(NotFound, match="sayso actions add"):
        desk.resources.add(PAY, {"pay": Risk.HIGH}, {"pay": "payment.transfer"}, by=BY)
    desk.actions.add(json.dumps(PAYMENT), by=BY)
    resource = desk.resources.add(
        PAY, {"pay": Risk.HIGH}, {"pay": "payment.transfer"}, by=BY
    ).resource
    assert resource.requires == {"pay": "payment.transfer"}
    with pytest.raises(Invalid):
        desk.resources.update(PAY, ResourceChanges(requires={"x": "payment.transfer"}), by=BY)
    assert desk.resources.update(PAY, ResourceChanges(requires={"pay": ""}), by=BY).requires == {}


def test_a_scope_that_goes_takes_its_need_with_it(desk):
    """Nothing is left that refers to nothing."""
    desk.actions.add(json.dumps(PAYMENT), by=BY)
    desk.resources.add(PAY, {"pay": Risk.HIGH}, {"pay": "payment.transfer"}, by=BY)
    assert desk.resources.update(PAY, ResourceChanges(without=("pay",)), by=BY).requires == {}


def test_a_deleted_resource_ends_requests_and_leaves_no_ceiling(desk):
    """Registered again one day, it gives nobody anything by itself."""
    admin = admitted(desk)
    agent = registered(desk).agent
    desk.resources.add("https://mail.example", {"payments:read": Risk.LOW}, {}, by=BY)
    both = registered(desk, "mailer", resources=(PAY, "https://mail.example")).agent
    approval = desk.approval(agent.id, admin.id)
    deleted = desk.resources.delete(PAY, by=BY)
    assert deleted.requests_cancelled == 1
    assert deleted.agents_narrowed == ("invoice-bot", "mailer")
    assert desk.state(approval) == (State.CANCELLED, "resource_deleted")
    assert desk.agents.show(agent.id)[0].resources == ()
    assert desk.agents.show(agent.id)[0].scopes == ()
    assert desk.agents.show(both.id)[0].resources == ("https://mail.example",)
    assert desk.agents.show(both.id)[0].scopes == ("payments:read",)


@pytest.mark.parametrize(
    "act",
    [
        lambda rows, uri: rows.show(uri),
        lambda rows, uri: rows.update(uri, ResourceChanges(), by=BY),
        lambda rows, uri: rows.delete(uri, by=BY),
    ],
    ids=["show", "update", "delete"],
)
def test_an_unknown_resource_is_not_found(desk, act):
    """URIs are compared exactly, but for a trailing slash."""
    desk.resources.add(PAY, {}, {}, by=BY)
    with pytest.raises(NotFound, match="sayso resources list"):
        act(desk.resources, f"{PAY}/v2")


def test_a_change_that_changes_nothing_is_no_entry(desk):
    """A script may say it again."""
    before = desk.resources.add(PAY, {"pay": Risk.HIGH}, {}, by=BY).resource
    changes = ResourceChanges(scopes={"pay": Risk.HIGH})
    assert desk.resources.update(PAY, changes, by=BY) == before
    assert desk.entries("resource.updated") == []


def test_a_resource_has_at_most_two_hundred_scopes(desk):
    """More are several resources."""
    names = {f"scope:{number}": Risk.LOW for number in range(200)}
    desk.resources.add(PAY, names, {}, by=BY)
    with pytest.raises(Invalid, match="200"):
        desk.resources.update(PAY, ResourceChanges(scopes={"one:more": Risk.LOW}), by=BY)
    assert len(desk.resources.show(PAY).scopes) == 200


def test_a_resource_gets_a_secret_that_is_told_once(desk):
    """It is kept as a hash, under a name that no agent's or app's can be."""
    given = desk.resources.add(PAY, {}, {}, by=BY)
    assert given.resource.client_id.startswith("sayso_rs_")
    assert given.secret.startswith("sayso_rk_")
    (kept,) = desk.resources.show(PAY).secrets
    assert kept.hash == hashlib.sha256(given.secret.encode()).digest()
    assert kept.hint == given.secret[-4:]
    assert given.secret not in str(desk.entries())


def test_two_secrets_work_for_the_overlap(desk):
    """The old one has an end from then on, and is forgotten at the next rotation after it."""
    first = desk.resources.add(PAY, {"pay": Risk.LOW}, {}, by=BY).resource
    second = desk.resources.rotate_secret(PAY, by=BY, overlap_ms=5 * MINUTE).resource
    assert second.client_id == first.client_id
    assert second.scopes == first.scopes
    assert [s.expires_at for s in second.secrets] == [desk.clock.now() + 5 * MINUTE, None]
    desk.clock.forward(5 * MINUTE)
    third = desk.resources.rotate_secret(PAY, by=BY)
    assert [s.hint for s in third.resource.secrets] == [second.secrets[1].hint, third.secret[-4:]]
    assert third.resource == desk.resources.show(PAY)
    assert [e["facts"]["working"] for e in desk.entries("resource.secret_rotated")] == [2, 2]


def test_a_leaked_secret_ends_at_once(desk):
    """With no overlap the old one is gone."""
    desk.resources.add(PAY, {}, {}, by=BY)
    given = desk.resources.rotate_secret(PAY, by=BY, overlap_ms=0)
    assert [s.hint for s in given.resource.secrets] == [given.secret[-4:]]


@pytest.mark.parametrize("overlap", [-1, 31 * 24 * 60 * MINUTE])
def test_an_overlap_without_an_end_is_refused(desk, overlap):
    """Thirty days, like an agent's."""
    desk.resources.add(PAY, {}, {}, by=BY)
    with pytest.raises(Invalid, match="30 days"):
        desk.resources.rotate_secret(PAY, by=BY, overlap_ms=overlap)


def test_changing_scopes_keeps_the_secrets(desk):
    """And a deleted resource has none any more."""
    desk.resources.add(PAY, {}, {}, by=BY)
    desk.resources.update(PAY, ResourceChanges({"pay": Risk.LOW}), by=BY)
    resource = desk.resources.show(PAY)
    assert len(resource.secrets) == 1
    desk.resources.delete(PAY, by=BY)
    with desk.store.read() as view:
        assert view.directory.resource_client(resource.client_id) is None
    with pytest.raises(NotFound):
        desk.resources.rotate_secret(PAY, by=BY)


def test_a_resource_limits_how_long_its_tokens_live(desk):
    """Within bounds; what is not named stays, and the limit can be taken away."""
    for seconds in (9, 3_601):
        with pytest.raises(Invalid, match="10 to 3600"):
            desk.resources.add(PAY, {}, {}, by=BY, token_seconds=seconds)
    assert desk.resources.add(PAY, {}, {}, by=BY, token_seconds=60).resource.token_seconds == 60
    with pytest.raises(Invalid, match="10 to 3600"):
        desk.resources.update(PAY, ResourceChanges(token_seconds=9), by=BY)
    for changes, left in (
        (ResourceChanges(scopes={"new": Risk.LOW}), 60),
        (ResourceChanges(token_seconds=30), 30),
        (ResourceChanges(usual_token_seconds=True), None),
    ):
        assert desk.resources.update(PAY, changes, by=BY).token_seconds == left
        assert desk.resources.show(PAY).token_seconds == left


def test_a_resource_is_found_by_what_a_path_calls_it(desk):
    """Whichever of several it is; what nothing is called is not found."""
    for uri in ("https://b.example", "https://a.example"):
        desk.resources.add(uri, {}, {}, by=BY)
    assert desk.resources.by_id(name_id("https://b.example")).uri == "https://b.example"
    with pytest.raises(NotFound):
        desk.resources.by_id("nothing")
    part = desk.resources.page("https://a.example", 5)
    assert ([row.uri for row in part.items], part.next) == (["https://b.example"], None)


def test_a_trailing_slash_does_not_make_another_resource(desk):
    """It is registered once, and found, changed and deleted by either form."""
    desk.resources.add(f"{PAY}/", {"read": Risk.LOW}, {}, by=BY)
    with pytest.raises(Exists, match=f"{PAY}/ is registered already; a trailing slash"):
        desk.resources.add(PAY, {}, {}, by=BY)
    assert desk.resources.show(PAY).uri == f"{PAY}/"
    desk.resources.rotate_secret(PAY, by=BY)
    assert desk.entries("resource.secret_rotated")[0]["resource"] == f"{PAY}/"
    changed = desk.resources.update(PAY, ResourceChanges({"pay": Risk.HIGH}), by=BY)
    assert desk.resources.all() == [desk.resources.show(f"{PAY}/")]
    assert set(changed.scopes) == {"read", "pay"}
    assert desk.resources.delete(PAY, by=BY).resource.uri == f"{PAY}/"
    assert desk.resources.all() == []


def test_a_client_has_the_resource_as_it_was_registered(desk):
    """Else its permissions would name a resource that does not exist."""
    desk.resources.add(f"{PAY}/", {"read": Risk.LOW}, {}, by=BY)
    desk.users.add(NewUser("ana"), by=BY)
    new = NewAgent(
        "bot", owners=("ana",), resources=(PAY,), scopes=("read",), serves=(PAY,), only={PAY: ()}
    )
    agent = desk.agents.add(new, by=BY).agent
    assert (agent.resources, agent.serves, dict(agent.only)) == (
        (f"{PAY}/",),
        (f"{PAY}/",),
        {f"{PAY}/": ()},
    )
    app = desk.apps.add(NewApp("chat", (CALLBACK,), resources=(PAY,), scopes=("read",)), by=BY).app
    assert app.resources == (f"{PAY}/",)


def test_a_resource_has_default_scopes(desk):
    """They are among its own, and go with the scope that they name."""
    made = desk.resources.add(
        PAY, {"write": Risk.MEDIUM, "read": Risk.LOW}, {}, by=BY, default_scopes=["write", "read"]
    )
    assert made.resource.default_scopes == ("read", "write")
    assert desk.entries("resource.added")[0]["facts"]["default_scopes"] == ["read", "write"]
    assert desk.resources.update(PAY, ResourceChanges(), by=BY).default_scopes == ("read", "write")
    assert desk.resources.update(
        PAY, ResourceChanges(without=("write",)), by=BY
    ).default_scopes == ("read",)
    cleared = desk.resources.update(PAY, ResourceChanges(default_scopes=()), by=BY)
    assert cleared == desk.resources.show(PAY)
    assert cleared.default_scopes == ()


@pytest.mark.parametrize(
    ("default", "says"),
    [
        ("other", "has no scope other"),
        ("all", "an approval each time"),
        ("pay", "an approval each time"),
    ],
)
def test_a_scope_that_no_consent_can_include_is_no_default(desk, default, says):
    """A default must not lead to a request that is always refused."""
    desk.actions.add(json.dumps(PAYMENT), by=BY)
    scopes = {"pay": Risk.LOW, "all": Risk.CRITICAL}
    with pytest.raises(Invalid, match=says) as refused:
        desk.resources.add(
            PAY, scopes, {"pay": "payment.transfer"}, by=BY, default_scopes=[default]
        )
    assert refused.value.member == "default_scopes"

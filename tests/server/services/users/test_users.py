"""Users: adding, changing, disabling and unlocking them."""

import pytest

from server.protocol.approvals.states import State
from server.services.refusals import Conflict, Exists, Invalid, NotFound
from server.services.users.users import NewUser, UserChanges
from tests.support.builders.installation import BY, admitted, registered


def test_adding_a_user_issues_an_enrollment_code(desk):
    """In one unit of work, with an audit entry for each."""
    user, issued = desk.users.add(NewUser("ana", "ana@example.com", ("auditor",)), by=BY)
    assert user.id.startswith("sayso_us_")
    assert (user.name, user.email, user.roles, user.state) == (
        "ana",
        "ana@example.com",
        ("auditor",),
        "enabled",
    )
    assert issued.code
    assert [entry["type"] for entry in desk.entries()] == ["user.added", "code.issued"]
    assert desk.users.show("ANA@example.com")[0] == user


@pytest.mark.parametrize(
    "new",
    [
        NewUser("ANA"),
        NewUser("ben", "ana@Example.com"),
        NewUser("ana@example.com"),
        NewUser("ben", "ana"),
    ],
    ids=["name", "email", "name is an email", "email is no email"],
)
def test_names_and_emails_are_unique(desk, new):
    """A login hint never means two people, in any case of letters."""
    admitted(desk, "ana", email="ana@example.com")
    with pytest.raises((Exists, Invalid)):
        desk.users.add(new, by=BY)
    assert [user.name for user in desk.users.all()] == ["ana"]


@pytest.mark.parametrize(
    "new",
    [
        NewUser(""),
        NewUser("a\x1b[31m"),
        NewUser("a\u202eb"),
        NewUser("sayso_us_abc"),
        NewUser("раypal"),  # noqa: RUF001  # Cyrillic letters that look like Latin ones
        NewUser("a" * 65),
        NewUser("ben", "no at sign"),
        NewUser("ben", "a@b\u202e"),
        NewUser("ben", roles=("root",)),
    ],
)
def test_an_invalid_user_is_refused_and_changes_nothing(desk, new):
    """Hostile names reach neither the database nor the log."""
    with pytest.raises(Invalid):
        desk.users.add(new, by=BY)
    assert desk.users.all() == []
    assert desk.entries() == []


def test_a_change_of_users_bumps_the_admin_version(desk):
    """A running server sees it at its next request."""
    before = desk.version()
    admitted(desk, "ana")
    assert desk.version() > before


def test_roles_and_email_can_be_changed(desk):
    """The audit log does not contain the address, because it cannot be erased there."""
    admitted(desk, "ana")
    changes = UserChanges(email="ana@example.com", roles=("admin",))
    user = desk.users.update("ana", changes, by=BY)
    assert (user.email, user.roles) == ("ana@example.com", ("admin",))
    entry = desk.entries("user.updated")[0]
    assert entry["facts"] == {"email_changed": True, "roles": ["admin"], "backup": None}
    assert desk.users.update("ana", UserChanges(email=""), by=BY).email is None


def test_an_update_without_effect_writes_no_entry(desk):
    """An entry exists exactly when its effect does."""
    admitted(desk, "ana")
    desk.users.update("ana", UserChanges(), by=BY)
    assert desk.entries("user.updated") == []


def test_disabling_a_user_cancels_requests_and_revokes_tokens(desk):
    """And is an event in their feed."""
    admin, ana = admitted(desk), admitted(desk, "ana")
    agent = registered(desk).agent
    pending = desk.approval(agent.id, ana.id)
    approved = desk.approval(agent.id, ana.id, state=State.APPROVED)
    other = desk.approval(agent.id, admin.id)
    token, of_admin = desk.token(agent.id, ana.id), desk.token(agent.id, admin.id, "t2")
    ended = desk.users.disable("ana", by=BY)
    assert (ended.user.state, ended.requests_cancelled, ended.tokens_revoked) == ("disabled", 2, 1)
    for approval in (pending, approved):
        assert desk.state(approval) == (State.CANCELLED, "user_disabled")
    assert desk.state(other) == (State.PENDING, None)
    assert (desk.revoked(token), desk.revoked(of_admin)) == (True, False)
    assert desk.events(ana)[-1] == "user.disabled"
    facts = desk.entries("user.disabled")[0]["facts"]
    assert facts == {"tokens_revoked": 1, "requests_cancelled": 2}


def test_disabling_twice_changes_nothing_more(desk):
    """One event, one entry."""
    user = admitted(desk, "ana")
    desk.users.disable("ana", by=BY)
    again = desk.users.disable("ana", by=BY)
    assert (again.tokens_revoked, again.requests_cancelled) == (0, 0)
    assert len(desk.entries("user.disabled")) == 1
    assert desk.events(user) == ["user.disabled"]


def test_disabling_a_user_ends_their_enrollment_code(desk):
    """And no new one is issued."""
    _, issued = desk.users.add(NewUser("ana"), by=BY)
    desk.users.disable("ana", by=BY)
    with desk.store.write() as tx:
        row = tx.codes.get(issued.code.replace("-", "")[:8])
        assert row.expires_at <= tx.now
    with pytest.raises(Conflict, match="sayso users enable ana"):
        desk.users.enrol("ana", by=BY)


def test_enabling_a_user_restores_nothing(desk):
    """Cancelled requests stay cancelled."""
    ana = admitted(desk, "ana")
    admitted(desk)
    approval = desk.approval(registered(desk).agent.id, ana.id)
    desk.users.disable("ana", by=BY)
    assert desk.users.enable("ana", by=BY).enabled
    assert desk.state(approval)[0] is State.CANCELLED
    assert len(desk.entries("user.enabled")) == 1


def test_unlocking_a_user_unlocks_only_their_locked_devices(desk):
    """It is an audit entry."""
    ana, ben = admitted(desk, "ana"), admitted(desk, "ben")
    locked = desk.device(ana, pin_tries=10)
    desk.device(ana, pin_tries=3)
    desk.device(ana, pin_tries=10, state="revoked")
    other = desk.device(ben, pin_tries=10)
    _, unlocked = desk.users.unlock("ana", by=BY)
    assert [device.id for device in unlocked] == [locked.id]
    assert sorted(d.pin_tries for d in desk.users.show("ana")[1]) == [0, 3, 10]
    assert desk.users.show("ben")[1] == [other]
    assert desk.entries("user.unlocked")[0]["facts"] == {"devices": [locked.id]}
    assert desk.events(ana) == ["device.unlocked"]


@pytest.mark.parametrize("verb", ["show", "disable", "enable", "enrol", "unlock"])
def test_an_unknown_user_is_not_found(desk, verb):
    """The error names the command that lists users."""
    act = getattr(desk.users, verb)
    with pytest.raises(NotFound, match="sayso users list"):
        act("nobody") if verb == "show" else act("nobody", by=BY)
    assert desk.entries() == []


def test_enabling_and_unlocking_without_effect_write_no_entry(desk):
    """And no event."""
    ana = admitted(desk, "ana")
    desk.device(ana)
    assert desk.users.enable("ana", by=BY) == ana
    assert desk.users.unlock("ana", by=BY) == (ana, [])
    assert desk.entries("user.enabled") == desk.entries("user.unlocked") == []
    assert desk.events(ana) == []

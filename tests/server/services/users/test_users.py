"""People: who is let in, what changes, what ends when somebody is stopped."""

import pytest

from server.protocol.approvals.states import State
from server.services.refusals import Conflict, Exists, Invalid, NotFound
from server.services.users.users import NewUser, UserChanges
from tests.support.builders.installation import BY, admitted, registered


def test_a_user_comes_in_with_a_code(desk):
    """Adding somebody is one unit of work: the user, the code, an entry for each."""
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
def test_a_name_and_an_email_belong_to_one_user(desk, new):
    """A hint never means two people, in whatever case it is written."""
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
def test_what_nobody_may_be_called_is_refused_and_changes_nothing(desk, new):
    """Hostile names reach neither the database nor the log."""
    with pytest.raises(Invalid):
        desk.users.add(new, by=BY)
    assert desk.users.all() == []
    assert desk.entries() == []


def test_a_change_bumps_the_version_of_every_cache(desk):
    """A running server sees it at its next request."""
    before = desk.version()
    admitted(desk, "ana")
    assert desk.version() > before


def test_roles_and_email_change_and_the_log_keeps_no_address(desk):
    """What may have to be erased one day is not written where nothing can be erased."""
    admitted(desk, "ana")
    changes = UserChanges(email="ana@example.com", roles=("admin",))
    user = desk.users.update("ana", changes, by=BY)
    assert (user.email, user.roles) == ("ana@example.com", ("admin",))
    entry = desk.entries("user.updated")[0]
    assert entry["facts"] == {"email_changed": True, "roles": ["admin"], "backup": None}
    assert desk.users.update("ana", UserChanges(email=""), by=BY).email is None


def test_an_update_that_changes_nothing_writes_nothing(desk):
    """An entry exists exactly when its effect does."""
    admitted(desk, "ana")
    desk.users.update("ana", UserChanges(), by=BY)
    assert desk.entries("user.updated") == []


def test_disabling_a_user_ends_requests_and_tokens_and_tells_their_screens(desk):
    """Nothing that was asked of somebody who left is answered or redeemed any more."""
    admin, ana = admitted(desk), admitted(desk, "ana")
    agent = registered(desk).agent
    pending = desk.approval(agent.id, ana.id)
    approved = desk.approval(agent.id, ana.id, state=State.APPROVED)
    other = desk.approval(agent.id, admin.id)
    token, not_hers = desk.token(agent.id, ana.id), desk.token(agent.id, admin.id, "t2")
    ended = desk.users.disable("ana", by=BY)
    assert (ended.user.state, ended.requests_cancelled, ended.tokens_revoked) == ("disabled", 2, 1)
    for approval in (pending, approved):
        assert desk.state(approval) == (State.CANCELLED, "user_disabled")
    assert desk.state(other) == (State.PENDING, None)
    assert (desk.revoked(token), desk.revoked(not_hers)) == (True, False)
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


def test_a_disabled_user_gets_no_code_and_loses_the_one_they_had(desk):
    """A code that is on its way does not let somebody back in."""
    _, issued = desk.users.add(NewUser("ana"), by=BY)
    desk.users.disable("ana", by=BY)
    with desk.store.write() as tx:
        row = tx.codes.get(issued.code.replace("-", "")[:8])
        assert row.expires_at <= tx.now
    with pytest.raises(Conflict, match=r"ana is disabled\. Enable the user first\."):
        desk.users.enrol("ana", by=BY)


def test_enabling_lets_a_user_go_on_and_what_ended_stays_ended(desk):
    """Enabling is not undoing."""
    ana = admitted(desk, "ana")
    admitted(desk)
    approval = desk.approval(registered(desk).agent.id, ana.id)
    desk.users.disable("ana", by=BY)
    assert desk.users.enable("ana", by=BY).enabled
    assert desk.state(approval)[0] is State.CANCELLED
    assert len(desk.entries("user.enabled")) == 1


def test_unlock_opens_the_locked_devices_of_one_user(desk):
    """Ten wrong PINs lock a device; the administrator's word opens it and is in the log."""
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
    """The refusal names the kind, by which an interface says how to see who there is."""
    act = getattr(desk.users, verb)
    with pytest.raises(NotFound, match=r"There is no user nobody\.") as refused:
        act("nobody") if verb == "show" else act("nobody", by=BY)
    assert refused.value.remedy == ("user", "nobody")
    assert desk.entries() == []


def test_enabling_who_is_enabled_and_unlocking_who_is_not_locked_are_no_entries(desk):
    """A script may say it again; nobody's screen is told."""
    ana = admitted(desk, "ana")
    desk.device(ana)
    assert desk.users.enable("ana", by=BY) == ana
    assert desk.users.unlock("ana", by=BY) == (ana, [])
    assert desk.entries("user.enabled") == desk.entries("user.unlocked") == []
    assert desk.events(ana) == []

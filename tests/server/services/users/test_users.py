"""Users can be added, changed, disabled, enabled and unlocked."""

import pytest

from server.protocol.approvals.states import State
from server.services.refusals import Conflict, Exists, Invalid, NotFound
from server.services.users.users import NewUser, UserChanges
from server.storage.devices.enrollment_codes import EnrollmentCodes
from tests.support.builders.installation import BY, add_user, register_agent
from tests.support.checks.locks import run_during


def test_adding_a_user_issues_an_enrollment_code(admin_services):
    """Adding the user and issuing the code each write an audit entry."""
    user, issued = admin_services.users.add(NewUser("ana", "ana@example.com", ("auditor",)), by=BY)
    assert user.id.startswith("sayso_us_")
    assert (user.name, user.email, user.roles, user.state) == (
        "ana",
        "ana@example.com",
        ("auditor",),
        "enabled",
    )
    assert issued.code
    assert [entry["type"] for entry in admin_services.entries()] == ["user.added", "code.issued"]
    assert admin_services.users.show("ANA@example.com")[0] == user


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
def test_names_and_emails_are_unique(admin_services, new):
    """A login hint must never mean two people, in any letter case."""
    add_user(admin_services, "ana", email="ana@example.com")
    with pytest.raises((Exists, Invalid)):
        admin_services.users.add(new, by=BY)
    assert [user.name for user in admin_services.users.all()] == ["ana"]


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
def test_an_invalid_user_is_refused_and_changes_nothing(admin_services, new):
    """Hostile names reach neither the database nor the audit log."""
    with pytest.raises(Invalid):
        admin_services.users.add(new, by=BY)
    assert admin_services.users.all() == []
    assert admin_services.entries() == []


def test_a_change_to_users_increases_the_admin_version(admin_services):
    """A running server sees the change at its next request."""
    before = admin_services.version()
    add_user(admin_services, "ana")
    assert admin_services.version() > before


def test_roles_and_email_can_be_changed(admin_services):
    """The audit log does not contain the address, because it could not be erased there."""
    add_user(admin_services, "ana")
    changes = UserChanges(email="ana@example.com", roles=("admin",))
    user = admin_services.users.update("ana", changes, by=BY)
    assert (user.email, user.roles) == ("ana@example.com", ("admin",))
    entry = admin_services.entries("user.updated")[0]
    assert entry["facts"] == {"email_changed": True, "roles": ["admin"], "backup": None}
    assert admin_services.users.update("ana", UserChanges(email=""), by=BY).email is None


def test_an_update_without_effect_writes_no_entry(admin_services):
    """An audit entry exists only if something changed."""
    add_user(admin_services, "ana")
    admin_services.users.update("ana", UserChanges(), by=BY)
    assert admin_services.entries("user.updated") == []


def test_disabling_a_user_cancels_requests_and_revokes_tokens(admin_services):
    """The audit entry has the counts, and the person's feed has an event."""
    admin, ana = add_user(admin_services), add_user(admin_services, "ana")
    agent = register_agent(admin_services).agent
    pending = admin_services.approval(agent.id, ana.id)
    approved = admin_services.approval(agent.id, ana.id, state=State.APPROVED)
    other = admin_services.approval(agent.id, admin.id)
    token, admin_token = (
        admin_services.token(agent.id, ana.id),
        admin_services.token(agent.id, admin.id, "t2"),
    )
    ended = admin_services.users.disable("ana", by=BY)
    assert (ended.user.state, ended.requests_cancelled, ended.tokens_revoked) == ("disabled", 2, 1)
    for approval in (pending, approved):
        assert admin_services.state(approval) == (State.CANCELLED, "user_disabled")
    assert admin_services.state(other) == (State.PENDING, None)
    assert (admin_services.revoked(token), admin_services.revoked(admin_token)) == (True, False)
    assert admin_services.events(ana)[-1] == "user.disabled"
    facts = admin_services.entries("user.disabled")[0]["facts"]
    assert facts == {"tokens_revoked": 1, "requests_cancelled": 2}


@pytest.mark.parametrize("roles", [None, (), ("auditor",)], ids=["disable", "none", "other"])
def test_the_last_enabled_administrator_stays_one(admin_services, roles):
    """Otherwise, only the command line on the server could make a new administrator."""
    add_user(admin_services, "ana", roles=("admin", "auditor"))
    add_user(admin_services, "ben", roles=("auditor",))
    add_user(admin_services, "cleo", roles=("admin",))

    def change(name, **members):
        if roles is None:
            return admin_services.users.disable(name, by=BY, **members).user
        return admin_services.users.update(name, UserChanges(roles=roles), by=BY, **members)

    admin_services.users.disable("cleo", by=BY)
    version = admin_services.version()
    with pytest.raises(Conflict, match=r"ana is the last enabled administrator\.") as refused:
        change("ana")
    assert refused.value.member == ("" if roles is None else "roles")
    assert admin_services.version() == version
    change("ben")
    change("cleo")
    admin_services.users.enable("cleo", by=BY)
    admin_services.users.update("cleo", UserChanges(roles=("admin",)), by=BY)
    assert change("ana").roles == (("admin", "auditor") if roles is None else roles)
    assert change("cleo", force=True) != admin_services.users.show("ben")[0]


def test_disabling_a_user_twice_has_no_further_effect(admin_services):
    """Disabling twice writes one event and one audit entry."""
    user = add_user(admin_services, "ana")
    admin_services.users.disable("ana", by=BY)
    second = admin_services.users.disable("ana", by=BY)
    assert (second.tokens_revoked, second.requests_cancelled) == (0, 0)
    assert len(admin_services.entries("user.disabled")) == 1
    assert admin_services.events(user) == ["user.disabled"]


def test_disabling_a_user_ends_their_enrollment_code(admin_services):
    """The code expires immediately, and a disabled user gets no new code."""
    _, issued = admin_services.users.add(NewUser("ana"), by=BY)
    admin_services.users.disable("ana", by=BY)
    with admin_services.store.write() as tx:
        row = tx.codes.get(issued.code.replace("-", "")[:8])
        assert row.expires_at <= tx.now
    with pytest.raises(Conflict, match=r"ana is disabled\. Enable the user first\."):
        admin_services.users.enroll("ana", by=BY)


def test_enabling_a_user_does_not_restore_requests(admin_services):
    """Requests that were canceled when the user was disabled stay canceled."""
    ana = add_user(admin_services, "ana")
    add_user(admin_services)
    approval = admin_services.approval(register_agent(admin_services).agent.id, ana.id)
    admin_services.users.disable("ana", by=BY)
    assert admin_services.users.enable("ana", by=BY).enabled
    assert admin_services.state(approval)[0] is State.CANCELLED
    assert len(admin_services.entries("user.enabled")) == 1


def test_unlocking_a_user_unlocks_only_their_locked_devices(admin_services):
    """Other devices and revoked devices keep their PIN attempts."""
    ana, ben = add_user(admin_services, "ana"), add_user(admin_services, "ben")
    locked = admin_services.device(ana, pin_tries=10)
    admin_services.device(ana, pin_tries=3)
    admin_services.device(ana, pin_tries=10, state="revoked")
    other = admin_services.device(ben, pin_tries=10)
    _, unlocked = admin_services.users.unlock("ana", by=BY)
    assert [device.id for device in unlocked] == [locked.id]
    assert sorted(device.pin_tries for device in admin_services.users.show("ana")[1]) == [0, 3, 10]
    assert admin_services.users.show("ben")[1] == [other]
    assert admin_services.entries("user.unlocked")[0]["facts"] == {"devices": [locked.id]}
    assert admin_services.events(ana) == ["device.unlocked"]


@pytest.mark.parametrize("verb", ["show", "disable", "enable", "enroll", "unlock"])
def test_an_unknown_user_is_not_found(admin_services, verb):
    """The refusal names the kind of object, so that an interface can say how to list them."""
    call = getattr(admin_services.users, verb)
    with pytest.raises(NotFound, match=r"There is no user nobody\.") as refused:
        call("nobody") if verb == "show" else call("nobody", by=BY)
    assert refused.value.remedy == ("user", "nobody")
    assert admin_services.entries() == []


def test_enabling_and_unlocking_without_effect_write_no_entry(admin_services):
    """Such a call sends no event either."""
    ana = add_user(admin_services, "ana")
    admin_services.device(ana)
    assert admin_services.users.enable("ana", by=BY) == ana
    assert admin_services.users.unlock("ana", by=BY) == (ana, [])
    assert admin_services.entries("user.enabled") == admin_services.entries("user.unlocked") == []
    assert admin_services.events(ana) == []


def test_of_two_codes_issued_at_once_only_the_second_is_valid(postgres_local, monkeypatch):
    """The second waits for the first, and then withdraws its code."""
    users, store, codes = postgres_local.admin.users, postgres_local.services.store, []
    users.add(NewUser("ana"), by=BY)

    def issue():
        codes.append(users.enroll("ana", by=BY)[1].code)

    second = run_during(monkeypatch, EnrollmentCodes, "withdraw", store, issue)
    issue()
    second.join()
    with store.write() as tx:
        rows = [tx.codes.get(code.replace("-", "")[:8]) for code in codes]
        assert sorted(row.expires_at > tx.now for row in rows) == [False, True]

"""A person sets their own password with the high key, after a PIN call for this password."""

import pytest

from server.protocol.approvals import decisions
from server.services.devices.new_devices import WAIT_MS
from server.services.devices.statements import PIN_FRESH_MS
from tests.support.browsers.browser import PASSWORD
from tests.support.builders.callers import another_device
from tests.support.builders.installation import BY

NEW_PASSWORD = "another long one"


def _nonce(person):
    return person.call("GET", "/api/me").json["device"]["nonce"]


def _statement(person, password=PASSWORD, key=None, *, pin=True, **members):
    """Make the statement of a terminal for this password, after its PIN call."""
    nonce = _nonce(person)
    subject = decisions.digest(f"{nonce}\n{password}")
    if pin:
        assert person.pin(subject).status == 200
    members_of_statement = {"purpose": "password", "nonce": nonce, "subject": subject, **members}
    return person.statement(key=key or person.high, **members_of_statement)


def _send(person, statement, password=PASSWORD):
    return person.call("POST", "/api/password", {"password": password, "statement": statement})


def _set(person, password=PASSWORD, **options):
    return _send(person, _statement(person, password, **options), password)


def _sign_in(local, password):
    return local.site.sign_in.sign_ins.sign_in("ana", password, flow=None, peer="192.0.2.1")


def test_a_person_sets_and_changes_their_password(person, local):
    """Browsers that were signed in are signed out, and the PIN attempts are reset."""
    assert person.call("GET", "/api/password").json == {"set": False}
    assert _set(person).json == {"set": True, "sign_ins_ended": 0}
    assert person.call("GET", "/api/password").json == {"set": True}
    assert _sign_in(local, PASSWORD)
    assert _set(person, NEW_PASSWORD).json == {"set": True, "sign_ins_ended": 1}
    assert _sign_in(local, NEW_PASSWORD)
    assert (person.device.pin_tries, person.device.pin_unconfirmed) == (0, 0)
    first, second = local.admin.entries("password.set")
    assert first["actor"] == second["actor"] == f"user:{person.user.id}"
    assert first["facts"] == {"sign_ins_ended": 0, "device": person.device_id}
    assert PASSWORD not in str(local.admin.entries())


def test_a_password_is_normalized(person, local):
    """The password works on every keyboard, although the signature covers what was sent."""
    assert _set(person, "blau\u0308wal im meer").status == 200
    assert _sign_in(local, "bla\u00fcwal im meer")


@pytest.mark.parametrize("password", ["", "short", "a" * 257, "twelve\x1bcharacters"])
def test_an_invalid_password_is_refused(person, password):
    """The error states the rule for passwords."""
    answer = _set(person, password)
    assert answer.refusal == (422, "invalid_body")
    assert "password" in answer.json["detail"]
    assert person.call("GET", "/api/password").json == {"set": False}


@pytest.mark.parametrize("key", ["session", "low"])
def test_only_the_high_key_sets_a_password(person, key):
    """A statement signed by the session key or the low key is refused."""
    assert _set(person, key=getattr(person, key)).refusal == (403, "key_not_allowed")


def test_the_pin_call_must_be_for_this_password_and_recent(person, local):
    """A PIN call for the session does not count, and neither does one that is too old."""
    assert _set(person, pin=False).refusal == (403, "pin_required")
    statement = _statement(person)
    person.pin()
    assert _send(person, statement).refusal == (403, "pin_required")
    statement = _statement(person)
    local.clock.forward(PIN_FRESH_MS + 1)
    person.refresh()
    assert _send(person, statement).refusal == (403, "pin_required")
    assert person.call("GET", "/api/password").json == {"set": False}


@pytest.mark.parametrize(
    "changes", [{"purpose": "user_code"}, {"subject": "x" * 43}, {"nonce": "n" * 43}]
)
def test_a_statement_about_something_else_is_refused(person, changes):
    """The purpose, the subject, the nonce and the password must match."""
    assert _set(person, **changes).refusal == (422, "invalid_statement")
    statement = _statement(person)
    assert _send(person, statement, NEW_PASSWORD).refusal == (422, "invalid_statement")


def test_a_statement_is_used_once(person):
    """Replaying a statement must not restore an old password."""
    statement = _statement(person)
    assert _send(person, statement).status == 200
    assert _send(person, statement).refusal == (422, "invalid_statement")


def test_only_one_of_two_concurrent_calls_with_a_statement_succeeds(person, local, monkeypatch):
    """A second call succeeds while the first hashes its password, so the first is refused."""
    statement = _statement(person)
    hasher, second_call = local.site.devices.passwords.hasher, []
    hash_password = hasher.hash

    def hash_slowly(password):
        if not second_call:
            second_call.append(None)
            second_call.append(_send(person, statement))
        return hash_password(password)

    monkeypatch.setattr(hasher, "hash", hash_slowly)
    assert _send(person, statement).refusal == (422, "invalid_statement")
    assert second_call[1].status == 200
    assert len(local.admin.entries("password.set")) == 1


def test_a_new_device_must_wait_before_it_sets_a_password(person, local):
    """A stolen enrollment code must not be enough to set a password."""
    second = another_device(person)
    assert _set(second).refusal == (403, "device_too_new")
    local.clock.forward(WAIT_MS)
    second.refresh()
    assert _set(second).status == 200


def test_a_disabled_user_cannot_set_a_password(person, local):
    """A disabled user cannot see whether a password is set either."""
    statement = _statement(person)
    local.admin.users.disable("ana", by=BY)
    assert _send(person, statement).refusal == (403, "forbidden")
    assert person.call("GET", "/api/password").refusal == (403, "forbidden")

"""A person sets their own password: the high key, after a PIN call for this very password."""

import pytest

from server.protocol.approvals import decisions
from server.services.devices.new_devices import WAIT_MS
from server.services.devices.statements import PIN_FRESH_MS
from tests.support.browsers.browser import PASSWORD
from tests.support.builders.callers import another_device
from tests.support.builders.installation import BY

OTHER = "another long one"


def _nonce(person):
    return person.call("GET", "/api/me").json["device"]["nonce"]


def _statement(person, password=PASSWORD, key=None, *, pin=True, **members):
    """What the terminal signs for this password, after its PIN call."""
    nonce = _nonce(person)
    subject = decisions.digest(f"{nonce}\n{password}")
    if pin:
        assert person.pin(subject).status == 200
    said = {"purpose": "password", "nonce": nonce, "subject": subject, **members}
    return person.statement(key=key or person.high, **said)


def _send(person, statement, password=PASSWORD):
    return person.call("POST", "/api/password", {"password": password, "statement": statement})


def _set(person, password=PASSWORD, **how):
    return _send(person, _statement(person, password, **how), password)


def _signs_in(local, password):
    return local.site.sign_in.sign_ins.sign_in("ana", password, flow=None, peer="192.0.2.1")


def test_a_person_sets_and_changes_their_password(person, local):
    """Browsers that were signed in with the old one are signed out; the PIN was right."""
    assert person.call("GET", "/api/password").json == {"set": False}
    assert _set(person).json == {"set": True, "sign_ins_ended": 0}
    assert person.call("GET", "/api/password").json == {"set": True}
    assert _signs_in(local, PASSWORD)
    assert _set(person, OTHER).json == {"set": True, "sign_ins_ended": 1}
    assert _signs_in(local, OTHER)
    assert person.device.pin_tries == 0
    first, second = local.desk.entries("password.set")
    assert first["actor"] == second["actor"] == f"user:{person.user.id}"
    assert first["facts"] == {"sign_ins_ended": 0, "device": person.device_id}
    assert PASSWORD not in str(local.desk.entries())


def test_it_is_the_same_password_on_every_keyboard(person, local):
    """What is signed is what was sent; what is kept is one spelling."""
    assert _set(person, "blau\u0308wal im meer").status == 200
    assert _signs_in(local, "bla\u00fcwal im meer")


@pytest.mark.parametrize("password", ["", "short", "a" * 257, "twelve\x1bcharacters"])
def test_what_may_be_no_password_is_refused(person, password):
    """With the rule in words."""
    answer = _set(person, password)
    assert answer.refusal == (422, "invalid_body")
    assert "password" in answer.json["detail"]
    assert person.call("GET", "/api/password").json == {"set": False}


@pytest.mark.parametrize("key", ["session", "low"])
def test_a_key_that_lies_open_gives_no_way_in(person, key):
    """Only the high key does."""
    assert _set(person, key=getattr(person, key)).refusal == (403, "key_not_allowed")


def test_the_pin_is_entered_for_this_very_password(person, local):
    """Not for the session, not for another password, and not long ago."""
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
def test_a_statement_about_something_else_is_none(person, changes):
    """Above all one for another password."""
    assert _set(person, **changes).refusal == (422, "invalid_statement")
    statement = _statement(person)
    assert _send(person, statement, OTHER).refusal == (422, "invalid_statement")


def test_a_statement_counts_once(person):
    """Nobody brings an old password back by repeating what was sent."""
    statement = _statement(person)
    assert _send(person, statement).status == 200
    assert _send(person, statement).refusal == (422, "invalid_statement")


def test_a_statement_that_was_spent_while_it_was_hashed_counts_for_nothing(
    person, local, monkeypatch
):
    """Two calls with one statement: one of them sets the password."""
    statement = _statement(person)
    hasher, again = local.site.devices.passwords.hasher, []
    hash_it = hasher.hash

    def slowly(password):
        if not again:
            again.append(None)
            again.append(_send(person, statement))
        return hash_it(password)

    monkeypatch.setattr(hasher, "hash", slowly)
    assert _send(person, statement).refusal == (422, "invalid_statement")
    assert again[1].status == 200
    assert len(local.desk.entries("password.set")) == 1


def test_a_new_device_waits_before_it_sets_one(person, local):
    """One that an administrator's code added; whoever has that code must not get in by it."""
    second = another_device(person)
    assert _set(second).refusal == (403, "device_too_new")
    local.clock.forward(WAIT_MS)
    second.refresh()
    assert _set(second).status == 200


def test_a_stopped_person_sets_none(person, local):
    """And is told nothing either."""
    statement = _statement(person)
    local.desk.users.disable("ana", by=BY)
    assert _send(person, statement).refusal == (403, "forbidden")
    assert person.call("GET", "/api/password").refusal == (403, "forbidden")

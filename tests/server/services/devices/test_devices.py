"""Devices: registration, counted PIN calls, and statements of one device about another."""

import pytest

from approver_tui.client.jose import SigningKey
from server.model.devices import MAX_ATTEMPTS
from server.services.devices.devices import MAX_DEVICES, MAX_UNCONFIRMED
from server.services.devices.new_devices import WAIT_MS
from server.services.users.users import NewUser
from tests.support.builders.callers import X, another_device, new_person, sign_in
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY

CONFIRM = "/api/devices/self/pin/confirmation"


@pytest.fixture
def unfinished(local):
    """Ana at a terminal that has signed in and has not registered yet."""
    user, issued = local.admin.users.enroll("ana", by=BY)
    return sign_in(local, user, issued.code)


def _nonce(signer, subject):
    """The nonce that `signer` must sign in a statement about `subject`."""
    items = signer.call("GET", "/api/devices").json["items"]
    return next(item["nonce"] for item in items if item["id"] == subject.device_id)


def _send_statement(signer, purpose, subject, key=None, pin_purpose=None, **members):
    signer.pin(pin_purpose or subject.device_id)
    nonce = members.pop("nonce", None) or _nonce(signer, subject)
    statement = {"subject": subject.device_id, **members}
    jws = signer.statement(purpose, nonce, key or signer.high, **statement)
    return signer.call("POST", f"/api/devices/{subject.device_id}/{purpose}", {"statement": jws})


def _lock(person):
    for _ in range(MAX_ATTEMPTS):
        assert person.pin().status == 200


def _keys(low, high):
    return {"name": "desk", "approval_keys": {"low": low, "high": high}}


def test_a_device_has_a_session_key_and_two_approval_keys(local, person):
    """The audit entry identifies the keys by their thumbprints; the feed has an event."""
    device = person.device
    assert device.kids == {
        "session": person.session.thumbprint,
        "low": person.low.thumbprint,
        "high": person.high.thumbprint,
    }
    assert (device.name, device.kind, device.user_id) == ("laptop", "terminal", person.user.id)
    (entry,) = local.admin.entries("device.enrolled")
    assert entry["facts"]["kids"] == device.kids
    assert local.admin.events(person.user) == ["device.enrolled"]


def test_only_the_first_device_can_approve_high_risk_requests_immediately(local, person):
    """Later devices wait a day, because the sign-in that enrolled them may have been stolen."""
    now = local.clock.now()
    assert person.device.high_from == now
    assert another_device(person).device.high_from == now + DAY


def test_a_session_has_one_device(person):
    """A second registration in the same session is refused."""
    first = person.device_id
    assert person.register("second").refusal == (409, "already_enrolled")
    assert person.device_id == first


def test_a_session_that_ended_during_registration_is_refused(local, unfinished, monkeypatch):
    """The session ends after its token was checked and before the device is stored."""
    with local.services.store.read() as view:
        sessions = type(view.sessions)
    get = sessions.get
    missing = iter([False, True])
    monkeypatch.setattr(
        sessions, "get", lambda self, key: None if next(missing) else get(self, key)
    )
    assert unfinished.register().refusal == (401, "invalid_token")


def test_a_person_has_at_most_twenty_devices(person, unfinished):
    """Revoked devices do not count toward the limit."""
    spare = [another_device(person, f"d{number}").device for number in range(MAX_DEVICES - 1)]
    assert unfinished.register().refusal == (409, "too_many_devices")
    person.call("DELETE", f"/api/devices/{spare[0].id}")
    assert unfinished.register().status == 201


@pytest.mark.parametrize("name", ["", "x" * 65, "bell\x07", " padded ", "two  spaces"])
def test_a_device_name_must_be_displayable(unfinished, name):
    """The name of a device is shown next to each of its decisions."""
    assert unfinished.register(name).refusal == (422, "invalid_body")


def test_approval_keys_must_be_two_different_public_keys(unfinished):
    """If both were one key, a decision made without the PIN could pass for one made with it."""
    low, high = SigningKey.generate().jwk, SigningKey.generate().jwk
    private = {**low, "d": X}
    for pair in ((low, low), (private, high), (low, {}), (low, {**high, "crv": "P-384"})):
        answer = unfinished.call("POST", "/api/devices", _keys(*pair))
        assert answer.refusal == (422, "invalid_body")
    assert unfinished.call("POST", "/api/devices", _keys(low, high)).status == 201


def test_an_approval_key_must_differ_from_the_session_key(unfinished):
    """Otherwise, a session could approve without a PIN."""
    other = SigningKey.generate().jwk
    session = unfinished.session.jwk
    for pair in ((session, other), (other, session)):
        answer = unfinished.call("POST", "/api/devices", _keys(*pair))
        assert answer.refusal == (422, "invalid_body")


def test_a_person_lists_all_their_devices_and_sees_the_current_one(person):
    """The list includes revoked devices and marks the one that sent the request."""
    person.local.clock.forward(1)
    other = another_device(person)
    other.call("DELETE", "/api/devices/self")
    items = person.call("GET", "/api/devices").json["items"]
    assert [(d["name"], d["state"], d["this"]) for d in items] == [
        ("laptop", "active", True),
        ("desktop", "revoked", False),
    ]
    assert person.call("GET", "/api/me").json["device"]["id"] == person.device_id


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/devices"),
        ("DELETE", "/api/devices/self"),
        ("GET", "/api/approvals"),
        ("GET", "/api/approvals/sayso_ap_aaaaaaaaaaaaaaaa"),
    ],
)
def test_an_unregistered_terminal_can_only_register(unfinished, person, method, path):
    """It cannot read or revoke anything until it appears on the person's other devices."""
    assert unfinished.call("GET", "/api/me").status == 200
    refused = unfinished.call(method, path)
    refused_revocation = unfinished.call("DELETE", f"/api/devices/{person.device_id}")
    assert refused.refusal == refused_revocation.refusal
    assert refused.status == 403


def test_revoking_the_old_device_before_registration_does_not_skip_the_wait(
    person, unfinished, local
):
    """A device that was revoked a moment ago still counts."""
    person.call("DELETE", "/api/devices/self")
    assert unfinished.register().status == 201
    assert unfinished.device.high_from == local.clock.now() + WAIT_MS


def test_a_device_enrolled_with_an_older_code_still_waits(local):
    """The wait depends on the devices at registration, not when the code was issued."""
    user, first = local.admin.users.add(NewUser("cleo"), by=BY)
    terminal = sign_in(local, user, first.code)
    late = local.admin.users.enroll("cleo", by=BY)[1]
    assert terminal.register().status == 201
    second = sign_in(local, user, late.code)
    assert second.register().status == 201
    assert terminal.device.high_from == local.clock.now()
    assert second.device.high_from == local.clock.now() + WAIT_MS


def test_each_pin_call_is_counted_before_it_is_answered(person):
    """A device gets the same answer for the same input, and another device a different one."""
    first, second = person.pin(), person.pin()
    assert [(a.json["tries"], a.json["left"]) for a in (first, second)] == [(1, 9), (2, 8)]
    assert first.json["y"] == second.json["y"]
    assert first.json["nonce"] != second.json["nonce"]
    assert another_device(person).pin().json["y"] != first.json["y"]


def test_ten_unconfirmed_pin_calls_lock_the_device(local, person):
    """The tenth call still gets a response; the feed and the audit log record the lock once."""
    _lock(person)
    assert person.pin().refusal == (423, "device_locked")
    assert person.device.pin_tries == MAX_ATTEMPTS
    assert local.admin.events(person.user).count("device.locked") == 1
    (entry,) = local.admin.entries("device.locked")
    assert entry["facts"]["device"] == person.device_id
    assert person.call("GET", "/api/me").json["device"]["pin"] == {
        "tries": 10,
        "left": 0,
        "locked": True,
        "exhausted": False,
    }


def test_fifty_unconfirmed_pin_calls_exhaust_the_pin(local, person):
    """An administrator can no longer unlock the device; the person must enroll a new one."""
    for _ in range(MAX_UNCONFIRMED // MAX_ATTEMPTS):
        _lock(person)
        local.admin.users.unlock("ana", by=BY)
    assert person.pin().refusal == (423, "pin_exhausted")
    assert person.call("GET", "/api/me").json["device"]["pin"]["exhausted"] is True
    assert another_device(person).pin().status == 200


def test_a_pin_call_must_name_the_session_or_a_request_to_the_person(agent, local, person):
    """A call for another person's request is refused and not counted."""
    new_person(local, "ben")
    _, own_approval = agent.request_approval()
    _, bens_approval = agent.request_approval(login_hint="ben")
    for purpose in (bens_approval.id, "sayso_ap_" + "a" * 16):
        assert person.pin(purpose).refusal == (404, "not_found")
    assert person.pin("nonsense").refusal == (422, "invalid_body")
    assert person.device.pin_tries == 0
    person.pin(own_approval.id)
    assert (person.device.pin_for, person.device.pin_for_at) == (own_approval.id, local.clock.now())
    person.pin()
    assert person.device.pin_for is None


def test_a_statement_by_the_high_key_confirms_the_pin(person):
    """The statement resets the attempts, but the unconfirmed call before it still counts."""
    person.pin()
    nonce = person.pin().json["nonce"]
    jws = person.statement("pin", nonce, person.high)
    assert person.call("POST", CONFIRM, {"statement": jws}).json == {"tries": 0}
    assert (person.device.pin_tries, person.device.pin_unconfirmed) == (0, 1)


@pytest.mark.parametrize(
    ("members", "refusal"),
    [
        ({"key": "session"}, (403, "key_not_allowed")),
        ({"key": "low"}, (403, "key_not_allowed")),
        ({"nonce": X}, (422, "invalid_statement")),
        ({"purpose": "unlock"}, (422, "invalid_statement")),
        ({"purpose": "other"}, (422, "invalid_statement")),
        ({"subject": "sayso_dv_other"}, (422, "invalid_statement")),
        ({"at": 0}, (422, "invalid_statement")),
    ],
)
def test_an_invalid_pin_confirmation_resets_nothing(person, members, refusal):
    """The attempts are reset only if the key and every member of the statement are right."""
    nonce = person.pin().json["nonce"]
    statement = {"purpose": "pin", "nonce": nonce, **members}
    key = getattr(person, statement.pop("key", "high"))
    jws = person.statement(statement.pop("purpose"), statement.pop("nonce"), key, **statement)
    assert person.call("POST", CONFIRM, {"statement": jws}).refusal == refusal
    assert person.device.pin_tries == 1


def test_a_confirmation_must_be_for_the_newest_pin_call(person):
    """An earlier success proves nothing about the guesses that followed."""
    old = person.pin().json["nonce"]
    person.pin()
    jws = person.statement("pin", old, person.high)
    refused = person.call("POST", CONFIRM, {"statement": jws})
    assert refused.refusal == (422, "invalid_statement")


def test_a_malformed_statement_is_invalid(person):
    """A statement is refused if it is not a JWS or if its signature is broken."""
    nonce = person.pin().json["nonce"]
    head, payload, signature = person.statement("pin", nonce, person.high).split(".")
    for text in ("nonsense", f"{head}.{payload}.AAAA{signature[4:]}"):
        answer = person.call("POST", CONFIRM, {"statement": text})
        assert answer.refusal == (422, "invalid_statement")


def test_another_device_unlocks_a_locked_one(local, person):
    """The other device signs with its high key, and its own PIN attempts are reset too."""
    other = another_device(person)
    _lock(other)
    person.pin()
    answer = _send_statement(person, "unlock", other)
    assert (answer.status, answer.json["pin"]["locked"]) == (200, False)
    assert other.pin().status == 200
    assert (person.device.pin_tries, person.device.pin_unconfirmed) == (0, 1)
    (entry,) = local.admin.entries("device.unlocked")
    assert (entry["facts"]["device"], entry["facts"]["by"]) == (other.device_id, person.device_id)
    assert local.admin.events(person.user)[-1] == "device.unlocked"


def test_an_older_device_vouches_for_a_new_one(agent, local, person):
    """The new device can then approve high-risk requests immediately."""
    new = another_device(person)
    answer = _send_statement(person, "vouch", new)
    assert answer.status == 200
    assert new.device.high_from == local.clock.now()
    assert new.approve(agent.request_payment()[1].id).status == 200
    (entry,) = local.admin.entries("device.vouched")
    assert (entry["facts"]["device"], entry["facts"]["by"]) == (new.device_id, person.device_id)


@pytest.mark.parametrize("purpose", ["unlock", "vouch"])
def test_a_device_cannot_unlock_or_vouch_for_itself(person, purpose):
    """Otherwise, a stolen device could give itself more power."""
    assert _send_statement(person, purpose, person).refusal == (403, "key_not_allowed")


@pytest.mark.parametrize("purpose", ["unlock", "vouch"])
def test_a_new_device_cannot_unlock_or_vouch_for_others(person, purpose):
    """Two stolen sign-ins cannot help each other."""
    first, second = another_device(person), another_device(person, "tablet")
    assert _send_statement(first, purpose, second).refusal == (403, "device_too_new")


@pytest.mark.parametrize("key", ["session", "low"])
def test_only_the_high_key_vouches_for_others(person, key):
    """The other keys do not need the PIN and are refused."""
    other = another_device(person)
    answer = _send_statement(person, "vouch", other, getattr(person, key))
    assert answer.refusal == (403, "key_not_allowed")


@pytest.mark.parametrize("purpose", ["unlock", "vouch"])
@pytest.mark.parametrize("named", ["session", "self"])
def test_a_statement_needs_a_pin_call_for_that_device(person, purpose, named):
    """A PIN that was entered for something else does not count."""
    other = another_device(person)
    pin_purpose = {"session": "session", "self": person.device_id}[named]
    answer = _send_statement(person, purpose, other, pin_purpose=pin_purpose)
    assert answer.refusal == (403, "pin_required")


def test_a_pin_call_for_another_persons_device_is_not_found(local, person):
    """A PIN call that is refused for this reason is not counted."""
    ben = new_person(local, "ben")
    assert person.pin(ben.device_id).refusal == (404, "not_found")
    assert person.device.pin_tries == 0


def test_a_statement_is_used_once(local, person):
    """The nonce changes after each use, so a statement cannot be replayed."""
    other = another_device(person)
    nonce = _nonce(person, other)
    assert _send_statement(person, "unlock", other, nonce=nonce).status == 200
    again = _send_statement(person, "unlock", other, nonce=nonce)
    assert again.refusal == (422, "invalid_statement")
    assert len(local.admin.entries("device.unlocked")) == 1


def test_other_peoples_devices_and_revoked_ones_are_not_found(local, person):
    """A person can neither vouch for such a device nor revoke it."""
    ben = new_person(local, "ben")
    revoked = another_device(person)
    revoked.call("DELETE", "/api/devices/self")
    for device in (ben, revoked):
        assert _send_statement(person, "vouch", device, nonce=X).refusal == (404, "not_found")
        assert person.call("DELETE", f"/api/devices/{device.device_id}").refusal == (
            404,
            "not_found",
        )
    assert ben.device.state == "active"


def test_any_device_revokes_any_device_of_its_person(local, person):
    """Revoking needs no PIN, because it only removes power; it also ends the session."""
    other = another_device(person)
    assert other.call("DELETE", f"/api/devices/{person.device_id}").status == 204
    assert person.call("GET", "/api/me").refusal[0] == 401
    (entry,) = local.admin.entries("device.revoked")
    assert (entry["actor"], entry["facts"]) == (
        f"user:{person.user.id}",
        {"device": person.device_id},
    )
    assert local.admin.events(person.user)[-1] == "device.revoked"

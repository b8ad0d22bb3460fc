"""Devices: registering one, the counted PIN calls, and what one device may say of another."""

import pytest

from approver_tui.client.jose import SigningKey
from server.model.devices import MOST_TRIES
from server.services.devices.devices import MOST_DEVICES, MOST_UNCONFIRMED
from server.services.devices.new_devices import WAIT_MS
from server.services.users.users import NewUser
from tests.support.builders.callers import X, another_device, new_person, sign_in
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY

CONFIRM = "/api/devices/self/pin/confirmation"


@pytest.fixture
def unfinished(local):
    """Ana at a terminal that has not registered yet."""
    user, issued = local.desk.users.enrol("ana", by=BY)
    return sign_in(local, user, issued.code)


def _nonce(at, of):
    """What `at` must sign about `of`."""
    listed = at.call("GET", "/api/devices").json["items"]
    return next(item["nonce"] for item in listed if item["id"] == of.device_id)


def _say(at, purpose, of, key=None, named=None, **members):
    at.pin(named or of.device_id)
    nonce = members.pop("nonce", None) or _nonce(at, of)
    jws = at.statement(purpose, nonce, key or at.high, **{"subject": of.device_id, **members})
    return at.call("POST", f"/api/devices/{of.device_id}/{purpose}", {"statement": jws})


def _lock(person):
    for _ in range(MOST_TRIES):
        assert person.pin().status == 200


def _keys(low, high):
    return {"name": "desk", "approval_keys": {"low": low, "high": high}}


def test_a_registered_device_has_the_sessions_key_and_two_of_its_own(local, person):
    """Thumbprints name them; it is told to the screens and the log."""
    device = person.device
    assert device.kids == {
        "session": person.session.thumbprint,
        "low": person.low.thumbprint,
        "high": person.high.thumbprint,
    }
    assert (device.name, device.kind, device.user_id) == ("laptop", "terminal", person.user.id)
    (entry,) = local.desk.entries("device.enrolled")
    assert entry["facts"]["kids"] == device.kids
    assert local.desk.events(person.user) == ["device.enrolled"]


def test_the_first_device_decides_everything_and_each_later_one_waits_a_day(local, person):
    """A stolen sign-in does not approve payments the same night."""
    now = local.clock.now()
    assert person.device.high_from == now
    assert another_device(person).device.high_from == now + DAY


def test_a_session_has_one_device(person):
    """409, and the first one stays."""
    first = person.device_id
    assert person.register("second").refusal == (409, "already_enrolled")
    assert person.device_id == first


def test_a_session_that_vanished_registers_nothing(local, unfinished, monkeypatch):
    """Between the check of its token and the registration."""
    with local.services.store.read() as view:
        rows = type(view.sessions)
    look = rows.get
    looks = iter([False, True])
    monkeypatch.setattr(rows, "get", lambda self, of: None if next(looks) else look(self, of))
    assert unfinished.register().refusal == (401, "invalid_token")


def test_a_person_has_at_most_twenty_devices(person, unfinished):
    """Revoked ones make room."""
    spare = [another_device(person, f"d{number}").device for number in range(MOST_DEVICES - 1)]
    assert unfinished.register().refusal == (409, "too_many_devices")
    person.call("DELETE", f"/api/devices/{spare[0].id}")
    assert unfinished.register().status == 201


@pytest.mark.parametrize("name", ["", "x" * 65, "bell\x07", " padded ", "two  spaces"])
def test_a_device_has_a_name_that_people_can_read(unfinished, name):
    """It is shown beside every answer."""
    assert unfinished.register(name).refusal == (422, "invalid_body")


def test_approval_keys_are_two_different_public_keys(unfinished):
    """One key for both would make every confirmation a PIN."""
    low, high = SigningKey.generate().jwk, SigningKey.generate().jwk
    private = {**low, "d": X}
    for pair in ((low, low), (private, high), (low, {}), (low, {**high, "crv": "P-384"})):
        answer = unfinished.call("POST", "/api/devices", _keys(*pair))
        assert answer.refusal == (422, "invalid_body")
    assert unfinished.call("POST", "/api/devices", _keys(low, high)).status == 201


def test_an_approval_key_that_is_the_sessions_key_is_refused(unfinished):
    """Else a session without a PIN would approve."""
    other = SigningKey.generate().jwk
    session = unfinished.session.jwk
    for pair in ((session, other), (other, session)):
        answer = unfinished.call("POST", "/api/devices", _keys(*pair))
        assert answer.refusal == (422, "invalid_body")


def test_a_person_sees_all_their_devices_and_which_is_this_one(person):
    """Revoked ones too; each with the nonce for a statement about it."""
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
def test_a_terminal_that_is_not_registered_can_only_register(unfinished, person, method, path):
    """Whoever holds a code sees nothing and removes nobody's device before everybody is told."""
    assert unfinished.call("GET", "/api/me").status == 200
    refused = unfinished.call(method, path)
    other = unfinished.call("DELETE", f"/api/devices/{person.device_id}")
    assert refused.refusal == other.refusal
    assert refused.status == 403


def test_ending_the_old_device_between_code_and_registration_spares_no_wait(
    person, unfinished, local
):
    """Whoever ends it: what ended a moment ago still counts."""
    person.call("DELETE", "/api/devices/self")
    assert unfinished.register().status == 201
    assert unfinished.device.high_from == local.clock.now() + WAIT_MS


def test_a_code_that_was_made_for_nobodys_device_waits_if_another_came_first(local):
    """Two codes before the first device: the second device finds the first there."""
    user, first = local.desk.users.add(NewUser("cleo"), by=BY)
    terminal = sign_in(local, user, first.code)
    late = local.desk.users.enrol("cleo", by=BY)[1]
    assert terminal.register().status == 201
    second = sign_in(local, user, late.code)
    assert second.register().status == 201
    assert terminal.device.high_from == local.clock.now()
    assert second.device.high_from == local.clock.now() + WAIT_MS


def test_each_pin_call_is_counted_before_it_is_answered(person):
    """The same half gives the same answer; another device another one."""
    first, second = person.pin(), person.pin()
    assert [(a.json["tries"], a.json["left"]) for a in (first, second)] == [(1, 9), (2, 8)]
    assert first.json["y"] == second.json["y"]
    assert first.json["nonce"] != second.json["nonce"]
    assert another_device(person).pin().json["y"] != first.json["y"]


def test_ten_unconfirmed_calls_lock_the_device(local, person):
    """The tenth is still answered; screens, hook and log are told once."""
    _lock(person)
    assert person.pin().refusal == (423, "device_locked")
    assert person.device.pin_tries == MOST_TRIES
    assert local.desk.events(person.user).count("device.locked") == 1
    (entry,) = local.desk.entries("device.locked")
    assert entry["facts"]["device"] == person.device_id
    assert person.call("GET", "/api/me").json["device"]["pin"] == {
        "tries": 10,
        "left": 0,
        "locked": True,
        "exhausted": False,
    }


def test_fifty_unconfirmed_calls_in_the_life_of_a_pin_exhaust_it(local, person):
    """Unlocking does not help any more; a new enrolment does."""
    for _ in range(MOST_UNCONFIRMED // MOST_TRIES):
        _lock(person)
        local.desk.users.unlock("ana", by=BY)
    assert person.pin().refusal == (423, "pin_exhausted")
    assert person.call("GET", "/api/me").json["device"]["pin"]["exhausted"] is True
    assert another_device(person).pin().status == 200


def test_a_pin_call_names_the_session_or_a_request_of_this_person(agent, local, person):
    """Somebody else's request is not there; such a call is not counted."""
    new_person(local, "ben")
    _, own = agent.asked()
    _, foreign = agent.asked(login_hint="ben")
    for purpose in (foreign.id, "sayso_ap_" + "a" * 16):
        assert person.pin(purpose).refusal == (404, "not_found")
    assert person.pin("nonsense").refusal == (422, "invalid_body")
    assert person.device.pin_tries == 0
    person.pin(own.id)
    assert (person.device.pin_for, person.device.pin_for_at) == (own.id, local.clock.now())
    person.pin()
    assert person.device.pin_for is None


def test_a_statement_by_the_high_key_proves_the_pin(person):
    """The tries start again; wrong ones before it stay counted for life."""
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
def test_a_statement_that_proves_something_else_resets_nothing(person, members, refusal):
    """The key and every member must be right."""
    nonce = person.pin().json["nonce"]
    said = {"purpose": "pin", "nonce": nonce, **members}
    key = getattr(person, said.pop("key", "high"))
    jws = person.statement(said.pop("purpose"), said.pop("nonce"), key, **said)
    assert person.call("POST", CONFIRM, {"statement": jws}).refusal == refusal
    assert person.device.pin_tries == 1


def test_a_confirmation_is_for_the_newest_call(person):
    """An earlier success says nothing of the guess that came after it."""
    old = person.pin().json["nonce"]
    person.pin()
    jws = person.statement("pin", old, person.high)
    refused = person.call("POST", CONFIRM, {"statement": jws})
    assert refused.refusal == (422, "invalid_statement")


def test_a_text_that_is_no_statement_is_invalid(person):
    """Nonsense, a decision, a broken signature."""
    nonce = person.pin().json["nonce"]
    head, payload, signature = person.statement("pin", nonce, person.high).split(".")
    for text in ("nonsense", f"{head}.{payload}.AAAA{signature[4:]}"):
        answer = person.call("POST", CONFIRM, {"statement": text})
        assert answer.refusal == (422, "invalid_statement")


def test_another_device_unlocks_a_locked_one(local, person):
    """With its high key; screens and log are told, and the signer's own tries start again."""
    other = another_device(person)
    _lock(other)
    person.pin()
    answer = _say(person, "unlock", other)
    assert (answer.status, answer.json["pin"]["locked"]) == (200, False)
    assert other.pin().status == 200
    assert person.device.pin_tries == 0
    (entry,) = local.desk.entries("device.unlocked")
    assert (entry["facts"]["device"], entry["facts"]["by"]) == (other.device_id, person.device_id)
    assert local.desk.events(person.user)[-1] == "device.unlocked"


def test_an_old_device_vouches_for_a_new_one(agent, local, person):
    """It decides high risk from then on."""
    new = another_device(person)
    answer = _say(person, "vouch", new)
    assert answer.status == 200
    assert new.device.high_from == local.clock.now()
    assert new.approve(agent.asked_payment()[1].id).status == 200
    (entry,) = local.desk.entries("device.vouched")
    assert (entry["facts"]["device"], entry["facts"]["by"]) == (new.device_id, person.device_id)


@pytest.mark.parametrize("purpose", ["unlock", "vouch"])
def test_a_device_does_not_speak_for_itself(person, purpose):
    """Else a stolen one would."""
    assert _say(person, purpose, person).refusal == (403, "key_not_allowed")


@pytest.mark.parametrize("purpose", ["unlock", "vouch"])
def test_a_new_device_does_not_speak_for_others(person, purpose):
    """For a day; two stolen sign-ins do not lift each other."""
    one, two = another_device(person), another_device(person, "tablet")
    assert _say(one, purpose, two).refusal == (403, "device_too_new")


@pytest.mark.parametrize("key", ["session", "low"])
def test_only_the_high_key_speaks_for_others(person, key):
    """What needs no PIN lifts nothing."""
    other = another_device(person)
    answer = _say(person, "vouch", other, getattr(person, key))
    assert answer.refusal == (403, "key_not_allowed")


@pytest.mark.parametrize("purpose", ["unlock", "vouch"])
@pytest.mark.parametrize("named", ["session", "self"])
def test_a_word_about_a_device_needs_a_pin_call_that_named_it(person, purpose, named):
    """A PIN that was entered for something else, or two minutes ago, is none for this device."""
    other = another_device(person)
    purpose_of_pin = {"session": "session", "self": person.device_id}[named]
    answer = _say(person, purpose, other, named=purpose_of_pin)
    assert answer.refusal == (403, "pin_required")


def test_a_pin_call_names_no_device_of_somebody_else(local, person):
    """It is not there for them, and such a call is not counted."""
    ben = new_person(local, "ben")
    assert person.pin(ben.device_id).refusal == (404, "not_found")
    assert person.device.pin_tries == 0


def test_a_statement_counts_once(local, person):
    """The nonce is another one after each."""
    other = another_device(person)
    nonce = _nonce(person, other)
    assert _say(person, "unlock", other, nonce=nonce).status == 200
    again = _say(person, "unlock", other, nonce=nonce)
    assert again.refusal == (422, "invalid_statement")
    assert len(local.desk.entries("device.unlocked")) == 1


def test_nobody_speaks_for_or_ends_another_persons_device(local, person):
    """It is not there for them; nor is one that ended."""
    ben = new_person(local, "ben")
    gone = another_device(person)
    gone.call("DELETE", "/api/devices/self")
    for of in (ben, gone):
        assert _say(person, "vouch", of, nonce=X).refusal == (404, "not_found")
        assert person.call("DELETE", f"/api/devices/{of.device_id}").refusal == (404, "not_found")
    assert ben.device.state == "active"


def test_any_device_ends_any_device_of_its_person(local, person):
    """It takes power away, so no PIN is asked; the session ends with it."""
    other = another_device(person)
    assert other.call("DELETE", f"/api/devices/{person.device_id}").status == 204
    assert person.call("GET", "/api/me").refusal[0] == 401
    (entry,) = local.desk.entries("device.revoked")
    assert (entry["actor"], entry["facts"]) == (
        f"user:{person.user.id}",
        {"device": person.device_id},
    )
    assert local.desk.events(person.user)[-1] == "device.revoked"

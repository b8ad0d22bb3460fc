"""A code that a person makes for one more device of theirs, and what they call each device."""

import pytest

from server.protocol.approvals import decisions
from server.services.devices.devices import MOST_DEVICES
from server.services.devices.new_devices import WAIT_MS
from tests.support.builders.callers import another_device, new_person, sign_in
from tests.support.builders.clock import MINUTE
from tests.support.builders.passkey import LocalBrowser, SoftPasskey, code_for, new_browser

CODES = "/api/devices/codes"


def _nonce(person):
    items = person.call("GET", "/api/devices").json["items"]
    return next(item["nonce"] for item in items if item["this"])


def _code(person, key=None, *, pin=True, **members):
    nonce = _nonce(person)
    subject = decisions.digest(nonce)
    if pin:
        assert person.pin(subject).status == 200
    said = {"subject": subject, **members}
    jws = person.statement("enrol", nonce, key or person.high, **said)
    return person.call("POST", CODES, {"statement": jws})


def _browser_code(browser):
    me = browser.send("GET", "/api/me").json["device"]
    subject = decisions.digest(me["nonce"])
    word = browser.statement(purpose="enrol", subject=subject, nonce=me["nonce"])
    return browser.send("POST", CODES, {"statement": word})


def test_a_terminal_makes_a_code_under_its_high_key_and_the_pin(person, local):
    """It is told once, with the link, and makes one device that waits a day for high risk."""
    told = _code(person)
    assert (told.status, told.headers["Cache-Control"]) == (201, "no-store")
    code = told.json["enrolment_code"]
    assert told.json["link"].endswith(f"/enrol#{code}")
    other = sign_in(local, person.user, code)
    assert other.register("desk").status == 201
    assert other.device.high_from == local.clock.now() + WAIT_MS
    by = {(one["actor"], one["subject"]) for one in local.desk.entries("code.issued")}
    assert (f"user:{person.user.id}", person.user.id) in by


def test_a_passkey_makes_a_code_too(local):
    """It verified its person; there is no PIN."""
    browser = new_browser(local)
    told = _browser_code(browser)
    assert told.status == 201
    other = LocalBrowser(local, browser.user, SoftPasskey(credential=b"a second one"))
    assert other.enrol(told.json["enrolment_code"]).status == 201
    assert other.device.high_from > local.clock.now()


def test_a_code_takes_the_high_key_the_pin_and_a_device_that_is_not_new(person, local):
    """What adds power is none of a session's business."""
    before = len(local.desk.entries("code.issued"))
    assert _code(person, pin=False).refusal == (403, "pin_required")
    assert _code(person, person.low).refusal == (403, "key_not_allowed")
    assert _code(person, person.session).refusal == (403, "key_not_allowed")
    assert _code(person, subject=decisions.digest("else")).refusal == (422, "invalid_statement")
    assert person.call("POST", CODES, {}).status == 422
    late = LocalBrowser(local, person.user, SoftPasskey())
    assert late.enrol(code_for(local, "ana")).status == 201
    assert _browser_code(late).refusal == (403, "device_too_new")
    assert len(local.desk.entries("code.issued")) == before + 1  # the administrator's


def test_a_statement_makes_one_code(person):
    """The nonce is another one afterwards, and an earlier unused code ends."""
    nonce = _nonce(person)
    subject = decisions.digest(nonce)
    person.pin(subject)
    body = {"statement": person.statement("enrol", nonce, person.high, subject=subject)}
    assert person.call("POST", CODES, body).status == 201
    assert person.call("POST", CODES, body).refusal == (422, "invalid_statement")


def test_whoever_has_twenty_devices_gets_no_code(person):
    """As many as one person has."""
    for number in range(MOST_DEVICES - 1):
        another_device(person, f"d{number}")
    person.local.clock.forward(MINUTE)
    assert _code(person).refusal == (409, "too_many_devices")


def test_a_person_renames_a_device_of_theirs(person, local):
    """With the session: it gives no power. The log says so."""
    other = another_device(person)
    path = f"/api/devices/{other.device_id}"
    told = person.call("PATCH", path, {"name": "kitchen tablet"})
    assert (told.status, told.json["name"]) == (200, "kitchen tablet")
    assert other.device.name == "kitchen tablet"
    assert person.call("PATCH", "/api/devices/self", {"name": "here"}).json["this"] is True
    facts = [one["facts"] for one in local.desk.entries("device.renamed")]
    assert {"device": other.device_id, "name": "kitchen tablet"} in facts


@pytest.mark.parametrize("name", ["", "x" * 65, "bell\x07", " padded "])
def test_a_device_keeps_a_name_that_people_can_read(person, name):
    """The same as when it came."""
    assert person.call("PATCH", "/api/devices/self", {"name": name}).refusal[0] == 422
    assert person.device.name == "laptop"


def test_nobody_renames_another_s_device(person, local):
    """It is not there for them."""
    other = new_person(local, "zoe")
    path = f"/api/devices/{other.device_id}"
    assert person.call("PATCH", path, {"name": "mine"}).refusal == (404, "not_found")


def test_a_passkey_vouches_for_a_new_device(local):
    """As an older terminal's high key does."""
    browser = new_browser(local)
    other = LocalBrowser(local, browser.user, SoftPasskey(credential=b"a second one"))
    assert other.enrol(code_for(local, "eva")).status == 201
    items = browser.send("GET", "/api/devices").json["items"]
    nonce = next(item["nonce"] for item in items if item["id"] == other.device_id)
    word = browser.statement(purpose="vouch", subject=other.device_id, nonce=nonce)
    told = browser.send("POST", f"/api/devices/{other.device_id}/vouch", {"statement": word})
    assert told.status == 200
    assert other.device.high_from == local.clock.now()

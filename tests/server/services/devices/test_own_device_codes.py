"""Enrollment codes that people create for their other devices, and renaming devices."""

import pytest

from server.protocol.approvals import decisions
from server.services.devices.devices import MAX_DEVICES
from server.services.devices.new_devices import WAIT_MS
from tests.support.builders.callers import another_device, new_person, sign_in
from tests.support.builders.clock import MINUTE
from tests.support.builders.passkey import LocalBrowser, SoftPasskey, enrollment_code, new_browser

CODES = "/api/devices/codes"


def _nonce(person):
    items = person.call("GET", "/api/devices").json["items"]
    return next(item["nonce"] for item in items if item["this"])


def _code(person, key=None, *, pin=True, **members):
    nonce = _nonce(person)
    subject = decisions.digest(nonce)
    if pin:
        assert person.pin(subject).status == 200
    members_of_statement = {"subject": subject, **members}
    jws = person.statement("enroll", nonce, key or person.high, **members_of_statement)
    return person.call("POST", CODES, {"statement": jws})


def _browser_code(browser):
    me = browser.send("GET", "/api/me").json["device"]
    subject = decisions.digest(me["nonce"])
    statement = browser.statement(purpose="enroll", subject=subject, nonce=me["nonce"])
    return browser.send("POST", CODES, {"statement": statement})


def test_a_terminal_creates_a_code_with_its_high_key_and_the_pin(person, local):
    """The code is returned once, with a link; the new device waits a day before high risk."""
    answer = _code(person)
    assert (answer.status, answer.headers["Cache-Control"]) == (201, "no-store")
    code = answer.json["enrollment_code"]
    assert answer.json["link"].endswith(f"/enroll#{code}")
    other = sign_in(local, person.user, code)
    assert other.register("desk").status == 201
    assert other.device.high_from == local.clock.now() + WAIT_MS
    issuers = {(entry["actor"], entry["subject"]) for entry in local.admin.entries("code.issued")}
    assert (f"user:{person.user.id}", person.user.id) in issuers


def test_a_passkey_creates_a_code_without_a_pin(local):
    """No PIN is needed, because the passkey verifies its user itself."""
    browser = new_browser(local)
    answer = _browser_code(browser)
    assert answer.status == 201
    other = LocalBrowser(local, browser.user, SoftPasskey(credential=b"a second one"))
    assert other.enroll(answer.json["enrollment_code"]).status == 201
    assert other.device.high_from > local.clock.now()


def test_a_code_needs_the_high_key_the_pin_and_an_older_device(person, local):
    """A session alone cannot add a device."""
    before = len(local.admin.entries("code.issued"))
    assert _code(person, pin=False).refusal == (403, "pin_required")
    assert _code(person, person.low).refusal == (403, "key_not_allowed")
    assert _code(person, person.session).refusal == (403, "key_not_allowed")
    assert _code(person, subject=decisions.digest("else")).refusal == (422, "invalid_statement")
    assert person.call("POST", CODES, {}).status == 422
    late = LocalBrowser(local, person.user, SoftPasskey())
    assert late.enroll(enrollment_code(local, "ana")).status == 201
    assert _browser_code(late).refusal == (403, "device_too_new")
    assert len(local.admin.entries("code.issued")) == before + 1  # the administrator's


def test_a_statement_creates_only_one_code(person):
    """The nonce changes after the first use, so the statement cannot be used again."""
    nonce = _nonce(person)
    subject = decisions.digest(nonce)
    person.pin(subject)
    body = {"statement": person.statement("enroll", nonce, person.high, subject=subject)}
    assert person.call("POST", CODES, body).status == 201
    assert person.call("POST", CODES, body).refusal == (422, "invalid_statement")


def test_a_person_with_twenty_devices_gets_no_code(person):
    """The limit is twenty devices per person."""
    for number in range(MAX_DEVICES - 1):
        another_device(person, f"d{number}")
    person.local.clock.forward(MINUTE)
    assert _code(person).refusal == (409, "too_many_devices")


def test_a_person_renames_their_device(person, local):
    """Renaming a device needs only a session and writes an audit entry."""
    other = another_device(person)
    path = f"/api/devices/{other.device_id}"
    answer = person.call("PATCH", path, {"name": "kitchen tablet"})
    assert (answer.status, answer.json["name"]) == (200, "kitchen tablet")
    assert other.device.name == "kitchen tablet"
    assert person.call("PATCH", "/api/devices/self", {"name": "here"}).json["this"] is True
    facts = [entry["facts"] for entry in local.admin.entries("device.renamed")]
    assert {"device": other.device_id, "name": "kitchen tablet"} in facts


@pytest.mark.parametrize("name", ["", "x" * 65, "bell\x07", " padded "])
def test_a_new_device_name_must_be_displayable(person, name):
    """New names follow the same rules as names at registration."""
    assert person.call("PATCH", "/api/devices/self", {"name": name}).refusal[0] == 422
    assert person.device.name == "laptop"


def test_a_device_of_another_person_cannot_be_renamed(person, local):
    """The response is the same as for an unknown device."""
    other = new_person(local, "zoe")
    path = f"/api/devices/{other.device_id}"
    assert person.call("PATCH", path, {"name": "mine"}).refusal == (404, "not_found")


def test_a_passkey_vouches_for_a_new_device(local):
    """A passkey can vouch for a device, like the high key of an older terminal."""
    browser = new_browser(local)
    other = LocalBrowser(local, browser.user, SoftPasskey(credential=b"a second one"))
    assert other.enroll(enrollment_code(local, "eva")).status == 201
    items = browser.send("GET", "/api/devices").json["items"]
    nonce = next(item["nonce"] for item in items if item["id"] == other.device_id)
    statement = browser.statement(purpose="vouch", subject=other.device_id, nonce=nonce)
    answer = browser.send("POST", f"/api/devices/{other.device_id}/vouch", {"statement": statement})
    assert answer.status == 200
    assert other.device.high_from == local.clock.now()

"""A user's devices in the browser: adding, renaming, vouching, unlocking, removing."""

import re

import pytest

from server.model.devices import MAX_ATTEMPTS
from tests.support.builders.own_pages import Pages
from tests.support.builders.passkey import LocalBrowser, SoftPasskey, enrollment_code, new_browser

CROSS_SITE = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}


@pytest.fixture
def eva(local):
    """Eva, whose only device is a passkey."""
    return Pages(new_browser(local))


@pytest.fixture
def second(eva, local):
    """A second, new passkey of Eva."""
    browser = LocalBrowser(local, eva.browser.user, SoftPasskey(credential=b"a second one"))
    assert browser.enroll(enrollment_code(local, "eva"), name="tablet").status == 201
    return browser


def _count_codes(local):
    return len(local.admin.entries("code.issued"))


def test_a_passkey_signature_creates_an_enrollment_code(eva, local):
    """The page shows the code as text and as a QR code. The code enrolls one device."""
    before = _count_codes(local)
    confirmation = eva.post("/devices/code")
    assert "Create a one-time code to enroll another device?" in confirmation.text
    assert _count_codes(local) == before
    reply = eva.signed("/devices/code")
    (code,) = re.findall(r'<code class="big"[^>]*>([^<]*)</code>', reply.text)
    assert reply.headers["Cache-Control"] == "no-store"
    assert re.search(r'<svg class="qr" viewBox="-4 -4 (\d+) \1" role="img"', reply.text)
    assert not re.search(r"style=|data:", reply.text)
    other = LocalBrowser(local, eva.browser.user, SoftPasskey(credential=b"a second one"))
    assert other.enroll(code).status == 201
    assert "It works once" in reply.text


def test_an_enrollment_code_needs_a_passkey_signature(eva, local):
    """An invalid statement, or a form from another site, creates no code."""
    before = _count_codes(local)
    assert eva.post("/devices/code", {"statement": "x"}).status_code == 422
    assert eva.post("/devices/code", headers=CROSS_SITE).status_code == 403
    assert eva.post("/devices/code", {"csrf": None}).status_code == 403
    assert _count_codes(local) == before


def test_a_device_that_is_too_new_shows_the_command_for_codes(eva, second):
    """A new device may not create codes yet, so its page shows the CLI command instead."""
    new = Pages(second)
    assert "sayso users enroll eva" in new.get("/devices").text
    assert "sayso users enroll eva" not in eva.get("/devices").text
    assert new.signed("/devices/code").status_code == 403


def test_a_device_is_renamed_without_a_passkey(eva, second):
    """The list of devices links to the page with the form."""
    path = f"/devices/{second.device_id}"
    assert f'href="{path}"' in eva.get("/devices").text
    done = eva.post(f"{path}/rename", {"name": "kitchen tablet"})
    assert done.status_code == 303
    assert "Renamed." in eva.get(done.headers["Location"]).text
    assert second.device.name == "kitchen tablet"
    assert eva.post(f"{path}/rename", {"name": "a\u202eb"}).status_code == 422
    assert eva.post(f"{path}/rename", {"name": "x"}, CROSS_SITE).status_code == 403


def test_another_device_vouches_for_a_new_device(eva, second, local):
    """A new device cannot vouch for itself."""
    path = f"/devices/{second.device_id}"
    assert "Vouch for this device" in eva.get(path).text
    assert "Vouch for this device" not in Pages(second).get(path).text
    assert eva.signed(f"{path}/vouch").status_code == 303
    assert second.device.high_from == local.clock.now()
    assert "Vouch for this device" not in eva.get(path).text


def test_a_locked_terminal_is_unlocked_with_a_passkey(person, local):
    """The passkey is on a different device of the same user."""
    browser = LocalBrowser(local, person.user, SoftPasskey())
    assert browser.enroll(enrollment_code(local, "ana")).status == 201
    with local.services.store.write() as tx:
        tx.devices.vouch(browser.device_id, tx.now)
    pages, path = Pages(browser), f"/devices/{person.device_id}"
    assert "Unlock this device" not in pages.get(path).text
    for _ in range(MAX_ATTEMPTS):
        assert person.pin().status == 200
    assert "Unlock this device" in pages.get(path).text
    assert pages.signed(f"{path}/unlock").status_code == 303
    assert person.device.pin_tries == 0


def test_a_device_is_removed_without_scripts(eva, second):
    """The device is removed from the list, no longer has a page, and is signed out."""
    path = f"/devices/{second.device_id}"
    done = eva.post(f"{path}/remove")
    assert done.status_code == 303
    assert "The device was removed" in eva.get(done.headers["Location"]).text
    assert path not in eva.get("/devices").text
    assert eva.get(path).status_code == 404
    assert "This device was revoked" in Pages(second).get("/").text


def test_another_users_device_is_not_found(eva, local):
    """Its page and every action return 404."""
    max_ = new_browser(local, "max", credential=b"the passkey of max")
    path = f"/devices/{max_.device_id}"
    assert eva.get(path).status_code == 404
    for action in ("rename", "remove", "vouch", "unlock"):
        assert eva.post(f"{path}/{action}", {"name": "x"}).status_code == 404
    assert max_.device.state == "active"


def test_a_passkey_that_may_have_been_copied_is_marked(eva, second):
    """The list and the device's own page show the warning about its signature counter."""
    second.passkey.signs = 4
    assert second.sign_in().status == 200
    second.passkey.signs = 1
    assert second.sign_in().refusal == (403, "passkey_counter")
    warning = "This passkey's signature counter went backward on"
    assert eva.get("/devices").text.count(warning) == 1
    assert warning in eva.get(f"/devices/{second.device_id}").text
    assert warning not in eva.get(f"/devices/{eva.browser.device_id}").text

"""Signing in to an app with a passkey instead of a password."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from server.protocol.names import ACR_PASSKEY, ACR_PASSWORD
from server.services.approvals.oversight import Oversight
from server.services.devices.passkeys import CHALLENGE_MS
from tests.support.browsers.browser import PASSWORD, Browser, Page
from tests.support.builders.app_users import LocalApp, give_password, new_app, new_browser
from tests.support.builders.clock import HOUR, MINUTE
from tests.support.builders.installation import BY
from tests.support.builders.passkey import LocalBrowser, SoftPasskey
from tests.support.builders.passkey import new_browser as new_phone
from tests.support.builders.site import LocalSite


@pytest.fixture
def app(local: LocalSite) -> LocalApp:
    """An app for the tests: a chat front end."""
    return new_app(local)


@pytest.fixture
def phone(local: LocalSite) -> LocalBrowser:
    """Eva's only device, a passkey; she has a password too."""
    phone = new_phone(local)
    give_password(local, "eva")
    return phone


@pytest.fixture
def browser(local: LocalSite, phone: LocalBrowser) -> Browser:
    """The browser in which Eva opens the app, signed out."""
    assert phone.user.name == "eva"
    return new_browser(local)


def _assertion(phone: LocalBrowser, **changes: bytes) -> str:
    """Return an assertion of Eva's passkey for a new challenge."""
    text = phone.send("POST", "/api/passkeys/offer").json["text"]
    return phone.passkey.assertion(text.encode(), **changes)


def _submit(browser: Browser, assertion: str) -> Page:
    """Submit the form as the page's script does."""
    return browser.submit(assertion=assertion)


def _claims(app: LocalApp, page: Page) -> Mapping[str, Any]:
    """Return the claims of the ID token that the code on the page is redeemed for."""
    tokens = app.redeem(page.answer["code"])
    assert tokens.status == 200, tokens.body
    return app.local.claims(tokens.json["id_token"], "JWT")


def _require_sign_in(app: LocalApp, browser: Browser) -> None:
    """Let the app require a new sign-in a moment later."""
    app.local.clock.forward(1)
    assert "Sign in" in browser.authorize(app.id, prompt="login").text


def _essential(*values: str) -> str:
    return json.dumps({"id_token": {"acr": {"essential": True, "values": values}}})


def test_a_passkey_sign_in_is_recorded_in_the_id_token(
    app: LocalApp, browser: Browser, phone: LocalBrowser, local: LocalSite
) -> None:
    """RFC 8176: `amr` lists a key and user presence, but no password."""
    browser.authorize(app.id)
    page = _submit(browser, _assertion(phone))
    assert (page.status, "eva" in page.text) == (200, True)
    tokens = app.redeem(browser.answer("allow").answer["code"]).json
    claims = local.claims(tokens["id_token"], "JWT")
    assert (claims["sub"], claims["acr"]) == (phone.user.id, ACR_PASSKEY)
    assert claims["amr"] == ["pop", "user"]
    assert claims["auth_time"] == local.clock.now() // 1000
    access = local.claims(tokens["access_token"])
    assert (access["acr"], access["amr"]) == (ACR_PASSKEY, ["pop", "user"])
    assert phone.device.last_seen_at == local.clock.now()
    done = local.admin.entries("sign_in.done")[-1]
    assert (done["actor"], done["posture"]) == (f"user:{phone.user.id}", ACR_PASSKEY)


def test_a_refreshed_token_keeps_the_original_sign_in(
    app: LocalApp, browser: Browser, phone: LocalBrowser, local: LocalSite
) -> None:
    """The refreshed token has the time and the method of the original sign-in."""
    browser.authorize(app.id)
    _submit(browser, _assertion(phone))
    at = local.clock.now() // 1000
    tokens = app.redeem(browser.answer("allow").answer["code"]).json
    local.clock.forward(HOUR)
    again = app.refresh(tokens["refresh_token"]).json
    claims = local.claims(again["access_token"])
    assert (claims["acr"], claims["auth_time"]) == (ACR_PASSKEY, at)


@pytest.mark.parametrize("parameters", [{"prompt": "login"}, {"max_age": "60"}])
def test_a_required_sign_in_can_use_the_passkey(
    app: LocalApp,
    browser: Browser,
    phone: LocalBrowser,
    local: LocalSite,
    parameters: dict[str, str],
) -> None:
    """OpenID Connect Core 3.1.2.1: auth_time is the time of the last sign-in."""
    browser.authorize(app.id)
    _submit(browser, _assertion(phone))
    browser.answer("allow")
    local.clock.forward(2 * MINUTE)
    assert "Sign in" in browser.authorize(app.id, **parameters).text
    claims = _claims(app, _submit(browser, _assertion(phone)))
    assert claims["auth_time"] == local.clock.now() // 1000
    assert "code" in browser.authorize(app.id).answer


def test_the_last_sign_in_method_counts(
    app: LocalApp, browser: Browser, phone: LocalBrowser
) -> None:
    """A password sign-in after a passkey sign-in counts as a password sign-in, and vice versa."""
    browser.authorize(app.id)
    browser.sign_in("eva")
    assert _claims(app, browser.answer("allow"))["acr"] == ACR_PASSWORD
    _require_sign_in(app, browser)
    assert _claims(app, _submit(browser, _assertion(phone)))["acr"] == ACR_PASSKEY
    _require_sign_in(app, browser)
    claims = _claims(app, browser.sign_in("eva"))
    assert (claims["acr"], claims["amr"]) == (ACR_PASSWORD, ["pwd"])


def test_an_app_can_require_a_passkey(app: LocalApp, browser: Browser, phone: LocalBrowser) -> None:
    """OpenID Connect Core 5.5.1.1: the page offers no password and accepts none."""
    browser.authorize(app.id)
    browser.sign_in("eva")
    browser.answer("allow")
    page = browser.authorize(app.id, claims=_essential(ACR_PASSKEY))
    assert 'id="password"' not in page.text
    assert "requires a passkey" in page.text
    assert "Sign in with a passkey" in browser.sign_in("eva").text
    refused = browser.authorize(app.id, claims=_essential(ACR_PASSKEY), prompt="none")
    assert refused.answer["error"] == "login_required"
    browser.authorize(app.id, claims=_essential(ACR_PASSKEY))
    assert _claims(app, _submit(browser, _assertion(phone)))["acr"] == ACR_PASSKEY


def test_an_app_can_require_a_password_or_accept_both(
    app: LocalApp, browser: Browser, phone: LocalBrowser
) -> None:
    """If a password is required, the page has no passkey button and no script."""
    page = browser.authorize(app.id, claims=_essential(ACR_PASSWORD))
    assert ("passkey" in page.text, "<script" in page.text) == (False, False)
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "Password" in _submit(browser, _assertion(phone)).text
    both = browser.authorize(app.id, claims=_essential(ACR_PASSKEY, ACR_PASSWORD))
    assert "tell" in both.text.lower()
    assert _claims(app, browser.answer("allow"))["acr"] == ACR_PASSKEY


def test_the_password_works_without_scripts(app: LocalApp, browser: Browser) -> None:
    """The passkey button is disabled until its script runs; the script is our own file."""
    page = browser.authorize(app.id)
    assert 'id="passkey" data-scripted disabled' in page.text
    assert 'name="assertion" value="" disabled' in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "connect-src 'self';" in policy
    assert page.text.count("<script") == 1
    assert browser.http.get("/sign-in-form.js").status_code == 200
    assert "code" in (browser.sign_in("eva") and browser.answer("allow")).answer


def _unknown_credential_assertion(phone: LocalBrowser) -> str:
    return _assertion(
        LocalBrowser(phone.local, phone.user, SoftPasskey(credential=b"of an unknown credential"))
    )


def _forged(phone: LocalBrowser) -> str:
    other = SoftPasskey(credential=phone.passkey.credential)
    return _assertion(LocalBrowser(phone.local, phone.user, other))


def _expired(phone: LocalBrowser) -> str:
    assertion = _assertion(phone)
    phone.local.clock.forward(CHALLENGE_MS)
    return assertion


def _unverified(phone: LocalBrowser) -> str:
    phone.passkey.flags = 0x01
    return _assertion(phone)


BAD = {
    "malformed": lambda _: "x",
    "of an unknown credential": _unknown_credential_assertion,
    "of another key": _forged,
    "expired": _expired,
    "for another challenge": lambda phone: phone.passkey.assertion(b"x"),
    "without user verification": _unverified,
}


@pytest.mark.parametrize("make_assertion", BAD.values(), ids=BAD)
def test_an_invalid_assertion_does_not_sign_in(
    app: LocalApp, browser: Browser, phone: LocalBrowser, make_assertion: Any
) -> None:
    """The page gives the reason and keeps the typed name and the request."""
    browser.authorize(app.id, login_hint="eva")
    page = _submit(browser, make_assertion(phone))
    assert (page.status, 'role="alert" id="problem">' in page.text) == (403, True)
    assert 'name="name" value="eva"' in page.text
    assert "Sign in" in browser.authorize(app.id).text


def test_an_assertion_is_accepted_once(
    app: LocalApp, browser: Browser, phone: LocalBrowser
) -> None:
    """An assertion used on Sayso's own sign-in page is refused in an app's sign-in."""
    assertion = _assertion(phone)
    assert phone.send("POST", "/api/passkeys/sign-in", {"assertion": assertion}).status == 200
    browser.authorize(app.id)
    assert _submit(browser, assertion).status == 403
    assert "Sign in" in browser.authorize(app.id).text


@pytest.mark.parametrize("disabled", ["device", "user"])
def test_a_revoked_device_or_disabled_user_cannot_sign_in(
    app: LocalApp, browser: Browser, phone: LocalBrowser, local: LocalSite, disabled: str
) -> None:
    """The sign-in is refused immediately, and the audit log names the user."""
    assertion = _assertion(phone)
    if disabled == "user":
        local.admin.users.disable("eva", by=BY)
    else:
        assert phone.send("DELETE", f"/api/devices/{phone.device_id}").status == 204
    browser.authorize(app.id)
    assert _submit(browser, assertion).status == 403
    failed = local.admin.entries("sign_in.failed")
    assert [entry["subject"] for entry in failed] == [phone.user.id]


def test_failed_attempts_throttle_only_this_passkey_from_this_address(
    app: LocalApp, browser: Browser, phone: LocalBrowser, local: LocalSite
) -> None:
    """Passwords and other passkeys are not throttled, and a success resets the counter."""
    browser.authorize(app.id)
    for _ in range(5):
        assert _submit(browser, _forged(phone)).status == 403
    throttled = _submit(browser, _assertion(phone))
    assert (throttled.status, throttled.headers["Retry-After"]) == (429, "1")
    other = new_phone(local, "fay", credential=b"of fay")
    assert "fay" in _submit(browser, _assertion(other)).text
    _require_sign_in(app, browser)
    assert browser.sign_in("eva", PASSWORD).status == 200
    local.clock.forward(2_000)
    _require_sign_in(app, browser)
    assert _submit(browser, _assertion(phone)).status == 200
    _require_sign_in(app, browser)
    assert _submit(browser, _forged(phone)).status == 403


def test_wrong_passwords_of_others_do_not_throttle_a_passkey(
    app: LocalApp, browser: Browser, phone: LocalBrowser
) -> None:
    """Behind a proxy all users share an address, and a passkey cannot be guessed."""
    browser.authorize(app.id)
    statuses = [
        browser.submit(name=f"nobody{number}", password="wrong").status for number in range(32)
    ]
    assert statuses[-1] == 429
    assert "eva" in _submit(browser, _assertion(phone)).text


def test_signing_in_to_an_app_does_not_sign_in_to_our_own_pages(
    app: LocalApp, browser: Browser, phone: LocalBrowser
) -> None:
    """Each kind of sign-in has its own cookie."""
    browser.authorize(app.id)
    _submit(browser, _assertion(phone))
    assert {cookie.name for cookie in browser.http.cookies.jar} == {"sayso"}
    assert browser.http.get("/api/me").status_code == 401


def test_a_form_from_another_site_does_not_sign_in(
    app: LocalApp, browser: Browser, phone: LocalBrowser
) -> None:
    """The assertion alone is not enough; it needs the page's CSRF token."""
    browser.authorize(app.id)
    for fields, headers in (({"csrf": "x"}, {}), ({}, {"Sec-Fetch-Site": "cross-site"})):
        good = browser.page
        page = browser.submit(headers=headers, assertion=_assertion(phone), **fields)
        assert page.status == 400
        browser.page = good
    assert "eva" in _submit(browser, _assertion(phone)).text


def _revoke(local: LocalSite, phone: LocalBrowser) -> None:
    store = local.services.store
    with store.read() as view:
        (device,) = view.devices.of_user(phone.user.id)
    Oversight(store).revoke_device(device.id, by=BY)


def test_revoking_a_device_ends_the_sign_ins_with_its_passkey(
    app: LocalApp, browser: Browser, phone: LocalBrowser, local: LocalSite
) -> None:
    """The browser is signed out, and the tokens from the sign-in are revoked."""
    browser.authorize(app.id)
    _submit(browser, _assertion(phone))
    tokens = app.redeem(browser.answer("allow").answer["code"]).json
    assert app.userinfo(tokens["access_token"]).status == 200
    _revoke(local, phone)

    assert app.userinfo(tokens["access_token"]).status == 401
    assert app.refresh(tokens["refresh_token"]).refusal == (400, "invalid_grant")
    assert "Sign in" in browser.authorize(app.id).text


def test_revoking_a_device_ends_tokens_that_are_older_than_the_sign_in(
    app: LocalApp, browser: Browser, phone: LocalBrowser, local: LocalSite
) -> None:
    """A refresh token outlives its sign-in, and a later password sign-in in the same browser."""
    browser.authorize(app.id)
    _submit(browser, _assertion(phone))
    first = app.redeem(browser.answer("allow").answer["code"]).json
    _require_sign_in(app, browser)
    second = app.redeem(browser.sign_in("eva").answer["code"]).json
    _revoke(local, phone)

    assert app.refresh(first["refresh_token"]).refusal == (400, "invalid_grant")
    assert app.refresh(second["refresh_token"]).status == 200
    assert "code" in browser.authorize(app.id).answer

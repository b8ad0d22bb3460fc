"""Signing in to an app with a passkey instead of a password, as the page's form sends its word."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from server.protocol.names import ACR_PASSKEY, ACR_PASSWORD
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
    """A chat front end."""
    return new_app(local)


@pytest.fixture
def phone(local: LocalSite) -> LocalBrowser:
    """Eva, whose one device is a passkey, and who has a password too."""
    phone = new_phone(local)
    give_password(local, "eva")
    return phone


@pytest.fixture
def browser(local: LocalSite, phone: LocalBrowser) -> Browser:
    """The browser in which she opens the app; it is signed in nowhere."""
    assert phone.user.name == "eva"
    return new_browser(local)


def _word(phone: LocalBrowser, **changes: bytes) -> str:
    """What her passkey says to a fresh offer."""
    text = phone.send("POST", "/api/passkeys/offer").json["text"]
    return phone.passkey.word(text.encode(), **changes)


def _enter(browser: Browser, word: str) -> Page:
    """The form as the page's script sends it."""
    return browser.submit(word=word)


def _claims(app: LocalApp, page: Page) -> Mapping[str, Any]:
    """Of the ID token that comes of the code."""
    tokens = app.redeem(page.answer["code"])
    assert tokens.status == 200, tokens.body
    return app.local.claims(tokens.json["id_token"], "JWT")


def _again(app: LocalApp, browser: Browser) -> None:
    """The app wants them to sign in once more, a moment later."""
    app.local.clock.forward(1)
    assert "Sign in" in browser.authorize(app.id, prompt="login").text


def _essential(*values: str) -> str:
    return json.dumps({"id_token": {"acr": {"essential": True, "values": values}}})


def test_a_passkey_signs_in_and_the_id_token_says_so(
    app: LocalApp, browser: Browser, phone: LocalBrowser, local: LocalSite
) -> None:
    """RFC 8176: a key was proved and its person was there; no password is claimed."""
    browser.authorize(app.id)
    page = _enter(browser, _word(phone))
    assert (page.status, "eva" in page.text) == (200, True)
    tokens = app.redeem(browser.answer("allow").answer["code"]).json
    claims = local.claims(tokens["id_token"], "JWT")
    assert (claims["sub"], claims["acr"]) == (phone.user.id, ACR_PASSKEY)
    assert claims["amr"] == ["pop", "user"]
    assert claims["auth_time"] == local.clock.now() // 1000
    access = local.claims(tokens["access_token"])
    assert (access["acr"], access["amr"]) == (ACR_PASSKEY, ["pop", "user"])
    assert phone.device.last_seen_at == local.clock.now()
    done = local.desk.entries("sign_in.done")[-1]
    assert (done["actor"], done["posture"]) == (f"user:{phone.user.id}", ACR_PASSKEY)


def test_a_refreshed_token_says_how_the_person_signed_in_then(
    app: LocalApp, browser: Browser, phone: LocalBrowser, local: LocalSite
) -> None:
    """Not later, and not in another way."""
    browser.authorize(app.id)
    _enter(browser, _word(phone))
    at = local.clock.now() // 1000
    tokens = app.redeem(browser.answer("allow").answer["code"]).json
    local.clock.forward(HOUR)
    again = app.refresh(tokens["refresh_token"]).json
    claims = local.claims(again["access_token"])
    assert (claims["acr"], claims["auth_time"]) == (ACR_PASSKEY, at)


@pytest.mark.parametrize("parameters", [{"prompt": "login"}, {"max_age": "60"}])
def test_whoever_has_to_sign_in_again_does_it_with_the_passkey(
    app: LocalApp,
    browser: Browser,
    phone: LocalBrowser,
    local: LocalSite,
    parameters: dict[str, str],
) -> None:
    """OpenID Connect Core 3.1.2.1: and the time is that of the last time."""
    browser.authorize(app.id)
    _enter(browser, _word(phone))
    browser.answer("allow")
    local.clock.forward(2 * MINUTE)
    assert "Sign in" in browser.authorize(app.id, **parameters).text
    claims = _claims(app, _enter(browser, _word(phone)))
    assert claims["auth_time"] == local.clock.now() // 1000
    assert "code" in browser.authorize(app.id).answer


def test_the_last_way_to_sign_in_counts(
    app: LocalApp, browser: Browser, phone: LocalBrowser
) -> None:
    """Who typed a password after the passkey is not said to have used that one, nor the reverse."""
    browser.authorize(app.id)
    browser.sign_in("eva")
    assert _claims(app, browser.answer("allow"))["acr"] == ACR_PASSWORD
    _again(app, browser)
    assert _claims(app, _enter(browser, _word(phone)))["acr"] == ACR_PASSKEY
    _again(app, browser)
    claims = _claims(app, browser.sign_in("eva"))
    assert (claims["acr"], claims["amr"]) == (ACR_PASSWORD, ["pwd"])


def test_an_app_can_insist_on_a_passkey(
    app: LocalApp, browser: Browser, phone: LocalBrowser
) -> None:
    """OpenID Connect Core 5.5.1.1: the page offers no password, and one that comes is in vain."""
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
    assert _claims(app, _enter(browser, _word(phone)))["acr"] == ACR_PASSKEY


def test_an_app_can_insist_on_a_password_or_take_both(
    app: LocalApp, browser: Browser, phone: LocalBrowser
) -> None:
    """Where only a password counts there is no passkey to press, and no script."""
    page = browser.authorize(app.id, claims=_essential(ACR_PASSWORD))
    assert ("passkey" in page.text, "<script" in page.text) == (False, False)
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "Password" in _enter(browser, _word(phone)).text
    both = browser.authorize(app.id, claims=_essential(ACR_PASSKEY, ACR_PASSWORD))
    assert "tell" in both.text.lower()
    assert _claims(app, browser.answer("allow"))["acr"] == ACR_PASSKEY


def test_without_scripts_the_password_stays(app: LocalApp, browser: Browser) -> None:
    """The button is dead until its script is there; the script is ours alone, in a file."""
    page = browser.authorize(app.id)
    assert 'id="passkey" data-scripted disabled' in page.text
    assert 'name="word" value="" disabled' in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "connect-src 'self';" in policy
    assert page.text.count("<script") == 1
    assert browser.http.get("/sign-in-form.js").status_code == 200
    assert "code" in (browser.sign_in("eva") and browser.answer("allow")).answer


def _stranger(phone: LocalBrowser) -> str:
    return _word(LocalBrowser(phone.local, phone.user, SoftPasskey(credential=b"of nobody")))


def _forged(phone: LocalBrowser) -> str:
    other = SoftPasskey(credential=phone.passkey.credential)
    return _word(LocalBrowser(phone.local, phone.user, other))


def _old(phone: LocalBrowser) -> str:
    word = _word(phone)
    phone.local.clock.forward(CHALLENGE_MS)
    return word


def _unverified(phone: LocalBrowser) -> str:
    phone.passkey.flags = 0x01
    return _word(phone)


BAD = {
    "no word": lambda _: "x",
    "of nobody": _stranger,
    "of another key": _forged,
    "too late": _old,
    "about something else": lambda phone: phone.passkey.word(b"x"),
    "of an unverified person": _unverified,
}


@pytest.mark.parametrize("made", BAD.values(), ids=BAD)
def test_a_word_that_is_none_signs_nobody_in(
    app: LocalApp, browser: Browser, phone: LocalBrowser, made: Any
) -> None:
    """The page says why and stays; what was typed and the request are as they were."""
    browser.authorize(app.id, login_hint="eva")
    page = _enter(browser, made(phone))
    assert (page.status, 'role="alert" id="problem">' in page.text) == (403, True)
    assert 'name="name" value="eva"' in page.text
    assert "Sign in" in browser.authorize(app.id).text


def test_a_word_counts_once(app: LocalApp, browser: Browser, phone: LocalBrowser) -> None:
    """Here or at our own pages, whichever comes first."""
    word = _word(phone)
    assert phone.send("POST", "/api/passkeys/sign-in", {"word": word}).status == 200
    browser.authorize(app.id)
    assert _enter(browser, word).status == 403
    assert "Sign in" in browser.authorize(app.id).text


@pytest.mark.parametrize("stopped", ["device", "user"])
def test_a_stopped_device_or_person_signs_in_nowhere(
    app: LocalApp, browser: Browser, phone: LocalBrowser, local: LocalSite, stopped: str
) -> None:
    """At once; who it was is in the log."""
    word = _word(phone)
    if stopped == "user":
        local.desk.users.disable("eva", by=BY)
    else:
        assert phone.send("DELETE", f"/api/devices/{phone.device_id}").status == 204
    browser.authorize(app.id)
    assert _enter(browser, word).status == 403
    failed = local.desk.entries("sign_in.failed")
    assert [entry["subject"] for entry in failed] == [phone.user.id]


def test_tries_in_vain_slow_this_passkey_from_this_address_alone(
    app: LocalApp, browser: Browser, phone: LocalBrowser, local: LocalSite
) -> None:
    """Like those of a password; neither slows the other, and a right one forgets them."""
    browser.authorize(app.id)
    for _ in range(5):
        assert _enter(browser, _forged(phone)).status == 403
    slowed = _enter(browser, _word(phone))
    assert (slowed.status, slowed.headers["Retry-After"]) == (429, "1")
    other = new_phone(local, "fay", credential=b"of fay")
    assert "fay" in _enter(browser, _word(other)).text
    _again(app, browser)
    assert browser.sign_in("eva", PASSWORD).status == 200
    local.clock.forward(2_000)
    _again(app, browser)
    assert _enter(browser, _word(phone)).status == 200
    _again(app, browser)
    assert _enter(browser, _forged(phone)).status == 403


def test_wrong_passwords_of_others_do_not_hold_up_a_passkey(
    app: LocalApp, browser: Browser, phone: LocalBrowser
) -> None:
    """Behind a proxy everybody has one address; nothing can be guessed about a passkey."""
    browser.authorize(app.id)
    statuses = [
        browser.submit(name=f"nobody{number}", password="wrong").status for number in range(32)
    ]
    assert statuses[-1] == 429
    assert "eva" in _enter(browser, _word(phone)).text


def test_it_is_no_sign_in_to_our_own_pages(
    app: LocalApp, browser: Browser, phone: LocalBrowser
) -> None:
    """Nor is theirs one to an app: each has its cookie."""
    browser.authorize(app.id)
    _enter(browser, _word(phone))
    assert {cookie.name for cookie in browser.http.cookies.jar} == {"sayso"}
    assert browser.http.get("/api/me").status_code == 401


def test_a_form_of_another_site_signs_nobody_in(
    app: LocalApp, browser: Browser, phone: LocalBrowser
) -> None:
    """A word alone is not enough: it comes with what only this browser's page knows."""
    browser.authorize(app.id)
    for fields, headers in (({"csrf": "x"}, {}), ({}, {"Sec-Fetch-Site": "cross-site"})):
        good = browser.page
        page = browser.submit(headers=headers, word=_word(phone), **fields)
        assert page.status == 400
        browser.page = good
    assert "eva" in _enter(browser, _word(phone)).text

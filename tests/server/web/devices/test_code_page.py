"""The page for device codes: it only sends a request and accepts only its own form."""

import re

import pytest

from server.model.store import Busy
from server.web.browser import HEADERS
from tests.support.browsers.browser import PASSWORD
from tests.support.builders.app_users import give_password
from tests.support.builders.new_device import begin_sign_in
from tests.support.builders.site import ISSUER


@pytest.fixture
def browser(local):
    """A browser with its cookies, at the issuer's address."""
    client = local.app.test_client()
    client.base = ISSUER
    return client


def _get(browser, path="/device"):
    return browser.get(path, base_url=ISSUER)


def _send(browser, headers=None, token=None, **fields):
    if token is None:
        token = re.search(r'name="form" value="([^"]+)"', _get(browser).text)[1]
    form = {"form": token, **fields}
    return browser.post("/device", data=form, headers=headers or {}, base_url=ISSUER)


def _pending_requests(person):
    return person.call("GET", "/api/approvals").json["items"]


def test_the_device_page_says_what_it_does_and_warns(browser):
    """XD-03, DG-13, XD-02: a user who did not start the sign-in is told to close the page."""
    page = _get(browser)
    assert page.status_code == 200
    assert "A new device, or an app on it, wants to sign in as you" in page.text
    assert "only if you started this yourself" in page.text
    assert "close this page" in page.text


@pytest.mark.parametrize("path", ["/device", "/device/sent"])
def test_device_pages_forbid_scripts_frames_and_forms_of_other_sites(browser, path):
    """Only the page that has a form may submit one, and only to this server."""
    page = _get(browser, path)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
    assert ("form-action 'self'" in policy) == (path == "/device")
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["Cache-Control"] == HEADERS["Cache-Control"] == "no-store"
    assert "<script" not in page.text


def test_a_link_only_prefills_the_code(browser, local, person):
    """DG-12: opening a link sends no request; the code is shown for comparison."""
    device = begin_sign_in(local)
    page = _get(browser, f"/device?user_code={device.user_code.lower()}")
    assert f'value="{device.user_code}"' in page.text
    assert _pending_requests(person) == []


@pytest.mark.parametrize("code", ['"><script>', "%22onfocus=", "A" * 5_000, "BCDF-GHJ1"])
def test_an_invalid_code_is_not_repeated(browser, code):
    """DG-11: text from a crafted link never reaches the page."""
    page = browser.get("/device", query_string={"user_code": code}, base_url=ISSUER)
    assert page.status_code == 200
    assert 'name="user_code" value=""' in page.text
    assert "<script" not in page.text


def test_the_form_sends_a_request_to_the_enrolled_device(browser, local, person):
    """The next page tells the user to check a device that they already use."""
    device = begin_sign_in(local)
    answer = _send(browser, name="ana", user_code=device.user_code)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{ISSUER}/device/sent")
    (request,) = _pending_requests(person)
    assert request["kind"] == "device"
    assert "Check a device that you already use" in _get(browser, "/device/sent").text


def test_the_page_answers_the_same_for_an_unknown_user(browser, local):
    """The identical answer does not reveal whether a user exists."""
    known_user = _send(browser, name="ana", user_code=begin_sign_in(local).user_code)
    unknown_user = _send(browser, name="nobody", user_code=begin_sign_in(local).user_code)
    assert known_user.status_code == unknown_user.status_code
    assert known_user.headers["Location"] == unknown_user.headers["Location"]
    assert known_user.data == unknown_user.data


@pytest.mark.parametrize("code", ["BCDF-GHJX", "hello", "used"])
def test_a_wrong_code_shows_the_form_again(browser, local, code):
    """DG-14: unknown, impossible and used codes get the same message."""
    device = begin_sign_in(local)
    if code == "used":
        assert device.type_code("ana") == ""
    page = _send(browser, name="ana", user_code=device.user_code if code == "used" else code)
    assert page.status_code == 400
    assert "That code is wrong, used or expired." in page.text


@pytest.mark.parametrize("fields", [{}, {"name": "ana"}, {"user_code": "BCDF-GHJK"}, {"name": " "}])
def test_an_empty_field_is_asked_for(browser, fields):
    """Without a name or a code the page names both fields and does not check the code."""
    page = _send(browser, **fields)
    assert page.status_code == 400
    assert "Enter your user name and the code." in page.text


FOREIGN = {
    "no token": {"token": ""},
    "another token": {"token": "A" * 22},
    "another origin": {"headers": {"Origin": "https://evil.example"}},
    "null origin": {"headers": {"Origin": "null"}},
    "another site": {"headers": {"Sec-Fetch-Site": "cross-site"}},
}


@pytest.mark.parametrize("what", FOREIGN)
def test_a_form_of_another_site_changes_nothing(browser, local, person, what):
    """DG-11: the form is shown again, and no approver is asked."""
    device = begin_sign_in(local)
    _get(browser)
    page = _send(browser, name="ana", user_code=device.user_code, **FOREIGN[what])
    assert page.status_code == 400
    assert "another site" in page.text
    assert _pending_requests(person) == []
    own = {"Origin": ISSUER, "Sec-Fetch-Site": "same-origin"}
    assert _send(browser, own, name="ana", user_code=device.user_code).status_code == 303


def test_a_form_without_its_cookie_changes_nothing(local, person):
    """The form token of one browser is invalid in another."""
    device = begin_sign_in(local)
    client = local.app.test_client(use_cookies=False)
    page = _send(client, name="ana", user_code=device.user_code)
    assert page.status_code == 400
    assert _pending_requests(person) == []


def test_the_form_cookie_is_restricted(browser, open_local):
    """The cookie is HttpOnly and SameSite=Strict, and Secure over https."""
    cookie = _get(browser).headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Strict", "Path=/device"):
        assert part in cookie
    assert "Secure" not in cookie
    public = open_local(issuer="https://auth.example").app.test_client()
    assert "Secure" in public.get("/device", base_url="https://auth.example").headers["Set-Cookie"]


def test_another_name_of_this_machine_redirects_to_the_issuer_with_the_code(browser):
    """The redirect keeps the code of the link."""
    redirect = browser.get("/device?user_code=BCDF-GHJK", base_url="http://127.0.0.1:8470")
    assert redirect.status_code == 303
    assert redirect.headers["Location"] == f"{ISSUER}/device?user_code=BCDF-GHJK"
    answer = browser.post("/device", base_url="http://127.0.0.1:8470")
    assert answer.headers["Location"] == f"{ISSUER}/device"


def test_a_signed_in_user_need_not_type_their_name(browser, local):
    """The name is prefilled and can be changed; a wrong code keeps what was typed."""
    give_password(local, "ana")
    cookie = local.site.sign_in.sign_ins.sign_in("ana", PASSWORD, flow=None, peer="192.0.2.9")
    browser.set_cookie("sayso", cookie, domain="localhost")
    assert 'name="name" value="ana"' in _get(browser).text
    page = _send(browser, name='b"en', user_code="BCDF-GHJX")
    assert 'name="name" value="b&#34;en"' in page.text


def test_an_unreachable_database_prefills_nothing(browser, local, monkeypatch):
    """The page is shown even if the signed-in user cannot be looked up."""

    def busy(*_args, **_kwargs):
        raise Busy("too long")

    monkeypatch.setattr(type(local.site.store), "read", busy)
    assert 'name="name" value=""' in _get(browser).text


def test_a_busy_server_keeps_the_typed_code(browser, local, monkeypatch):
    """The error page has the form with the code, so that the user can send it again."""
    device = begin_sign_in(local)

    def busy(*_args, **_kwargs):
        raise Busy("too long")

    monkeypatch.setattr(type(local.site.devices.grant), "submit_code", busy)
    page = _send(browser, name="ana", user_code=device.user_code)
    assert page.status_code == 400
    assert device.user_code in page.text
    assert "busy" in page.text

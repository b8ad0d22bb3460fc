"""The sign-in pages: their security headers and cookies, and what they refuse."""

import pytest

from server.model.store import Busy
from server.web.browser import HEADERS
from server.web.sign_in import sign_in
from tests.support.browsers.browser import CALLBACK, request_of
from tests.support.builders.app_users import give_password, new_app, new_browser
from tests.support.builders.site import ISSUER


@pytest.fixture
def app(local):
    """An app for the tests: a chat front end."""
    return new_app(local)


@pytest.fixture
def browser(person, local):
    """Ana's browser; she has a password."""
    give_password(local, person.user.name)
    return new_browser(local)


def test_every_sign_in_page_has_strict_security_headers(app, browser):
    """BC-17: pages forbid frames, caching and referrers; only passkey pages have scripts."""
    pages = [browser.authorize(app.id), browser.sign_in("ana", "wrong"), browser.sign_in("ana")]
    others = [pages[-1], browser.open("/logout"), browser.open("/authorize")]
    for page in others:
        assert "script" not in page.text
        assert "script-src" not in page.headers["Content-Security-Policy"]
    for page in [*pages, *others]:
        for name, value in HEADERS.items():
            assert page.headers.get_list(name) == [value]
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    for page in pages:
        assert "form-action 'self' https://chat.example;" in page.headers["Content-Security-Policy"]
    browser.page = pages[-1]
    assert browser.answer("allow").headers["Referrer-Policy"] == "no-referrer"


def test_no_sign_in_page_is_readable_from_another_site(app, browser):
    """BC-12: no sign-in page has a CORS header."""
    for page in (browser.authorize(app.id), browser.sign_in("ana")):
        assert not [name for name in page.headers if name.startswith("access-control")]


def test_the_cookie_is_hidden_from_scripts_and_other_sites(app, browser, open_local):
    """With TLS, other hosts and plain connections do not get the cookie either."""
    cookie = browser.authorize(app.id).headers["Set-Cookie"]
    assert cookie.startswith("sayso=sayso_br_")
    assert cookie.endswith("; HttpOnly; Path=/; SameSite=Lax")
    public = open_local(issuer="https://auth.example")
    other = new_app(public, "console")
    redirect = public.app.test_client().get(
        "/authorize", query_string=request_of(other.id), base_url="https://auth.example"
    )
    page = public.app.test_client().get(redirect.location, base_url="https://auth.example")
    cookie = page.headers["Set-Cookie"]
    assert cookie.startswith("__Host-sayso=sayso_br_")
    assert "; Secure; HttpOnly; Path=/; SameSite=Lax" in cookie


def test_a_sign_in_form_from_elsewhere_is_refused(app, browser):
    """A missing token, another site, and another browser's token are refused."""
    browser.authorize(app.id)
    good = browser.page
    for fields, headers in (
        ({"csrf": ""}, {}),
        ({"csrf": "x"}, {}),
        ({}, {"Sec-Fetch-Site": "cross-site"}),
        ({}, {"Sec-Fetch-Site": "same-site"}),
        ({}, {"Origin": "https://evil.example"}),
        ({}, {"Origin": "null"}),
    ):
        browser.page = good
        page = browser.submit(headers=headers, name="ana", **fields)
        assert (page.status, "page has expired" in page.text) == (400, True)
    browser.page = good
    browser.http.cookies.clear()
    assert browser.sign_in("ana").status == 400


@pytest.mark.parametrize("origin", [ISSUER, "null"])
def test_a_form_from_this_page_is_accepted(app, browser, origin):
    """The browser says same-origin; its Origin header is the issuer or null."""
    browser.authorize(app.id)
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": origin}
    page = browser.submit(headers=headers, name="ana", password="correct horse battery")
    assert page.status == 200


def test_a_wrong_password_keeps_the_name_and_reveals_nothing(app, browser):
    """The name is escaped, and after several attempts the form asks to wait."""
    browser.authorize(app.id, login_hint="ana@example.com")
    assert browser.page.forms[0].fields["name"] == "ana@example.com"
    wrong = browser.sign_in("<b>ana</b>", "wrong")
    assert (wrong.status, "is wrong" in wrong.text) == (403, True)
    assert "&lt;b&gt;ana&lt;/b&gt;" in wrong.text
    for _ in range(5):
        wrong = browser.sign_in("ana", "wrong")
    slowed = browser.sign_in("ana")
    assert (slowed.status, slowed.headers["Retry-After"]) == (429, "1")
    assert "Wait 1 second," in slowed.text


@pytest.mark.parametrize(
    ("issuer", "peer", "address"),
    [
        ("https://auth.example", "127.0.0.1", ""),
        ("https://auth.example", "::1", ""),
        ("https://auth.example", "192.0.2.7", "192.0.2.7"),
        (ISSUER, "127.0.0.1", "127.0.0.1"),
    ],
)
def test_an_address_hidden_by_a_local_proxy_is_not_slowed(open_local, issuer, peer, address):
    """The address is not slowed, because all users behind the proxy share it."""
    local = open_local(issuer=issuer)
    with local.app.test_request_context("/", environ_base={"REMOTE_ADDR": peer}):
        assert sign_in._address(local.site) == address


def test_a_wrong_password_after_a_completed_sign_in_gets_its_answer(app, browser):
    """The page stayed open while the sign-in was completed in the same browser."""
    stale = browser.authorize(app.id, login_hint="ana")
    browser.authorize(app.id)
    browser.sign_in("ana")
    csrf = browser.page.forms[0].fields["csrf"]
    browser.answer("allow")
    browser.page = stale
    page = browser.submit(name="ana", password="wrong", csrf=csrf)
    assert "code" in page.answer


def test_a_form_post_answer_works_with_and_without_scripts(app, browser):
    """OAuth 2.0 Form Post Response Mode: a script presses the button of the form."""
    browser.authorize(app.id, response_mode="form_post")
    browser.sign_in("ana")
    page = browser.answer("allow")
    assert page.forms[0].action == CALLBACK
    assert {"code", "state", "iss"} == set(page.forms[0].fields)
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "form-action https://chat.example" in policy
    script = browser.http.get("/form_post.js")
    assert script.headers["Content-Type"].startswith("text/javascript")
    assert "submit" in script.text
    refused = browser.authorize(app.id, response_mode="form_post", scope="openid nothing:here")
    assert refused.answer["error"] == "invalid_scope"


def test_an_authorization_request_may_be_posted(app, browser):
    """OpenID Connect Core 3.1.2.1: a posted request is redirected to a GET (BC-16)."""
    posted = browser.http.post("/authorize", data=request_of(app.id))
    assert posted.status_code == 303
    assert "Sign in" in browser.open(posted.headers["Location"]).text
    assert browser.http.post("/authorize", json={}).status_code == 400
    sign_out_redirect = browser.http.post("/logout", data={"client_id": app.id, "state": "a b"})
    assert (sign_out_redirect.status_code, sign_out_redirect.headers["Location"]) == (
        303,
        f"/logout?client_id={app.id}&state=a+b",
    )


def test_another_name_of_this_machine_redirects_sign_in_to_the_issuer(app, local):
    """127.0.0.1 and localhost do not share cookies; the redirect keeps the request."""
    client = local.app.test_client()
    for path in ("/authorize", "/logout"):
        redirect = client.get(f"{path}?client_id={app.id}", base_url="http://127.0.0.1:8470")
        assert redirect.location == f"{ISSUER}{path}?client_id={app.id}"


@pytest.mark.parametrize("path", ["/sign-in", "/consent", "/sign-out"])
def test_a_form_address_has_no_page(browser, path):
    """A GET gets 405, and an empty form is refused."""
    assert browser.http.get(path).status_code == 405
    assert browser.http.post(path, data={}).status_code == 400


_UNKNOWN_FLOWS = ("", "?flow=x", "?flow=%00&switch", "/waits?flow=x")


@pytest.mark.parametrize("path", [f"/continue{flow}" for flow in _UNKNOWN_FLOWS])
def test_a_page_of_an_unknown_flow_says_to_start_again(browser, path):
    """The flow is unknown because it has ended or never existed."""
    page = browser.open(path)
    assert (page.status, "start again" in page.text) == (400, True)


def test_a_request_that_may_not_be_sent_is_explained_on_the_page(person, app, browser):
    """After three denials no approver is asked; the user can still return to the app."""
    for _ in range(3):
        browser.authorize(app.id, scope="openid payments:read")
        if "Sign in" in browser.page.text:
            browser.sign_in("ana")
        browser.answer("allow")
        (waiting,) = person.call("GET", "/api/approvals", query={"state": "waiting"}).json["items"]
        person.deny(waiting["id"])
    browser.authorize(app.id, scope="openid payments:read")
    page = browser.answer("allow")
    assert (page.status, "denied this repeatedly" in page.text) == (403, True)
    assert browser.answer("deny").answer["error"] == "access_denied"


def test_a_busy_or_failing_server_shows_an_error_page(app, browser, local, monkeypatch):
    """The page contains no internal details."""
    browser.authorize(app.id)
    page = browser.page

    def fail(error):
        def verify(_password, _hashed):
            raise error

        monkeypatch.setattr(local.site.sign_in.sign_ins.hasher, "verify", verify)

    fail(Busy("x"))
    assert browser.sign_in("ana").status == 503
    fail(RuntimeError("secret detail"))
    browser.page = page
    broken = browser.sign_in("ana")
    assert (broken.status, "secret detail" in broken.text) == (500, False)


def test_an_invalid_cookie_is_ignored(app, browser):
    """The invalid cookie is replaced with a new one."""
    browser.http.cookies.set("sayso", "x" * 4_000)
    page = browser.authorize(app.id)
    assert "sayso_br_" in page.headers["Set-Cookie"]

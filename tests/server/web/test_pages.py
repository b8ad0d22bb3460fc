"""Pages: their addresses and security headers."""

import json
import re

import pytest
from jinja2 import UndefinedError

from server import telemetry
from server.web.browser import HEADERS
from server.web.visit import Visit
from tests.support.builders.site import ISSUER


@pytest.fixture
def browser(local):
    """A browser at the issuer's address."""
    client = local.app.test_client()
    return lambda path, base=ISSUER: client.get(path, base_url=base)


def test_the_enrollment_page_says_how_to_start_on_a_terminal(browser):
    """The page contains the issuer URL, which the terminal needs."""
    page = browser("/enroll")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert ISSUER in page.text


@pytest.mark.parametrize("path", ["/device/sent", "/style.css"])
def test_every_page_forbids_what_it_does_not_need(browser, path):
    """A page without scripts allows no script, frame, form or type sniffing."""
    page = browser(path)
    for name, value in HEADERS.items():
        if name != "Cache-Control":
            assert page.headers[name] == value
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "<script" not in page.text


def test_pages_are_not_cached_and_style_sheets_are(browser):
    """A page may contain personal data, and a style sheet does not."""
    assert browser("/enroll").headers["Cache-Control"] == "no-store"
    assert browser("/style.css").headers.getlist("Cache-Control") == ["no-cache"]
    assert browser("/style.css").mimetype == "text/css"


def test_another_name_of_this_machine_redirects_to_the_issuer(browser):
    """To a browser the three loopback names are three origins."""
    redirect = browser("/enroll", "http://127.0.0.1:8470")
    assert (redirect.status_code, redirect.headers["Location"]) == (303, f"{ISSUER}/enroll")
    assert redirect.headers["Referrer-Policy"] == "no-referrer"


def test_behind_a_proxy_the_host_header_does_not_redirect(open_local):
    """The server does not trust the Host header behind a proxy."""
    public = open_local(issuer="https://auth.example")
    page = public.app.test_client().get("/enroll", base_url="http://internal:8470")
    assert page.status_code == 200
    assert "https://auth.example" in page.text


def test_every_answer_has_our_security_headers(local):
    """Our own code refuses OPTIONS at every address, so that the headers are set."""
    client = local.app.test_client()
    for rule in local.app.url_map.iter_rules():
        answer = client.options(re.sub("<[^>]+>", "x", rule.rule), base_url=ISSUER)
        assert answer.status_code in {401, 405}, rule
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nowhere", 404, "Page not found"),
        ("/consent", 405, "Only a form can send requests to it"),
        ("/token", 405, "Only a form can send requests to it"),
    ],
)
def test_an_unknown_address_shows_a_browser_an_error_page(local, path, status, words):
    """The page has the usual headers and a remedy, and repeats nothing of the request."""
    page = local.app.test_client().get(path, base_url=ISSUER, headers={"Accept": HTML})
    assert (page.status_code, page.mimetype) == (status, "text/html")
    assert words in page.text
    assert page.headers["X-Frame-Options"] == "DENY"
    assert bool(page.headers.get("Allow")) is (status == 405)


@pytest.mark.parametrize(
    ("path", "ways"),
    [
        ("/nowhere", ["/"]),
        ("/token", ["/"]),
        ("/admin/nowhere", ["/", "/admin/agents"]),
        ("/admin/new/group/add", ["/", "/admin/agents"]),
    ],
)
def test_an_error_page_has_a_link_that_leads_on(local, path, ways):
    """A link leads to the inbox; in the console another leads to a page open to every role."""
    page = local.app.test_client().get(path, base_url=ISSUER, headers={"Accept": HTML})
    assert re.findall(r'<a href="([^"]*)"', page.text) == ways


@pytest.mark.parametrize(
    ("path", "accept"),
    [("/nowhere", "*/*"), ("/nowhere", "application/json"), ("/api/x", HTML), ("/nowhere", None)],
)
def test_an_unknown_address_answers_a_program_in_json(local, path, accept):
    """A client that does not ask for HTML gets JSON, and the API always answers in JSON."""
    headers = {} if accept is None else {"Accept": accept}
    answer = local.app.test_client().get(path, base_url=ISSUER, headers=headers)
    assert (answer.status_code, "json" in answer.mimetype) == (404, True)


@pytest.mark.parametrize("text", ["{{ misspelled }}", "{% if misspelled %}{% endif %}"])
def test_a_misspelled_name_in_a_template_is_an_error(local, text):
    """By default Jinja would render an unknown name as an empty string."""
    with pytest.raises(UndefinedError, match="misspelled"):
        local.app.jinja_env.from_string(text).render()


def test_an_internal_error_is_shown_with_its_id_in_the_log(console, monkeypatch, log_lines):
    """An administrator can find the error by its ID; the page shows nothing else of it."""
    telemetry.configure_logging(as_json=True, level="info")
    monkeypatch.setattr(Visit, "answer", lambda *_: 1 / 0)
    page = console.get("admin", "/admin/audit")
    line = json.loads(log_lines()[-1])
    assert (page.status_code, line["event"]) == (500, "page.failed")
    assert f"The error is in the log as {line['correlation_id']}." in page.text
    assert "division" not in page.text

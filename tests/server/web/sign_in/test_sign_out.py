"""Signing out with the form that every page has, without scripts."""

import pytest

from tests.support.builders.own_pages import Pages
from tests.support.builders.passkey import new_browser

FOREIGN = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}


@pytest.fixture
def eva(local):
    """Eva, whose only device is a passkey."""
    return Pages(new_browser(local))


@pytest.mark.parametrize("path", ["/", "/history", "/settings", "/admin/agents"])
def test_every_page_signs_out_without_scripts(eva, path):
    """The button of the sign-out form is enabled, and the form has the CSRF token."""
    form = eva.get(path).text.partition('<form class="leave"')[2].partition("</form>")[0]
    assert 'method="post" action="/leave"' in form
    assert f'name="csrf" value="{eva.csrf}"' in form
    assert "disabled" not in form


def test_signing_out_ends_the_session_and_is_logged(eva):
    """The cookie is removed, and the server no longer accepts it."""
    done = eva.post("/leave")
    assert (done.status_code, done.headers["Location"][-1]) == (303, "/")
    assert "Max-Age=0" in done.headers["Set-Cookie"]
    assert eva.browser.send("GET", "/api/me").status == 401
    assert 'id="sign-in"' in eva.get("/").text
    assert len(eva.browser.local.admin.entries("sign_in.ended")) == 1


@pytest.mark.parametrize(
    ("form", "headers"), [({"csrf": "guessed"}, None), ({"csrf": None}, None), ({}, FOREIGN)]
)
def test_another_site_cannot_sign_anyone_out(eva, form, headers):
    """A request from another site is refused, and the session stays."""
    options = {} if headers is None else {"headers": headers}
    assert eva.post("/leave", form, **options).status_code == 403
    assert eva.browser.send("GET", "/api/me").status == 200


def test_signing_out_twice_is_harmless(eva):
    """The second sign-out shows the sign-in page."""
    eva.post("/leave")
    assert 'id="sign-in"' in eva.post("/leave").text

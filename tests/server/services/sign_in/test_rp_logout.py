"""RP-initiated logout: an app sends the user to the logout page."""

from urllib.parse import urlencode

import pytest

from tests.support.builders.app_users import give_password, new_app, new_browser
from tests.support.builders.site import ISSUER

HOME = "https://chat.example/bye?x=1"


@pytest.fixture
def app(local):
    """An app with a post-logout redirect URI."""
    return new_app(local, post_logout_redirect_uris=(HOME,))


@pytest.fixture
def signed_in(person, app, local):
    """Ana's signed-in browser, and the tokens of the app."""
    give_password(local, person.user.name)
    browser = new_browser(local)
    browser.authorize(app.id)
    browser.sign_in("ana")
    tokens = app.redeem(browser.answer("allow").answer["code"]).json
    return browser, tokens


def open_logout_link(browser, **parameters):
    """Open the logout link of an app."""
    return browser.open("/logout?" + urlencode(parameters))


def test_after_confirming_the_user_returns_to_the_app(signed_in, app):
    """RP-Initiated Logout 2, 3: the redirect has the state; the refresh token is revoked."""
    browser, tokens = signed_in
    page = open_logout_link(
        browser,
        id_token_hint=tokens["id_token"],
        post_logout_redirect_uri=HOME,
        state="s 1",
    )
    assert "ana" in page.text
    assert "chat" in page.text
    assert app.refresh(tokens["refresh_token"]).status == 200
    assert browser.submit().url == f"{HOME}&state=s+1"
    assert app.refresh(tokens["refresh_token"]).refusal == (400, "invalid_grant")
    assert 'type="password"' in browser.authorize(app.id).text


def test_without_an_app_a_page_confirms_the_logout(signed_in):
    """A user who is already signed out is not asked again."""
    browser, _ = signed_in
    assert "Sign out?" in open_logout_link(browser).text
    assert "You are signed out" in browser.submit().text
    assert "You are signed out" in open_logout_link(browser).text


def test_a_user_who_is_not_signed_in_is_redirected_immediately(app, local):
    """There is no sign-in to end, so no page asks for confirmation."""
    browser = new_browser(local)
    assert open_logout_link(browser, client_id=app.id, post_logout_redirect_uri=HOME).url == HOME


@pytest.mark.parametrize(
    "parameters",
    [
        {"post_logout_redirect_uri": HOME},
        {"post_logout_redirect_uri": "https://evil.example/", "client_id": "APP"},
        {"post_logout_redirect_uri": "https://chat.example/callback", "client_id": "APP"},
        {"client_id": "sayso_app_none"},
        {"id_token_hint": "nonsense"},
        {"id_token_hint": "TOKEN", "client_id": "sayso_app_other"},
    ],
)
def test_an_unregistered_post_logout_uri_is_refused(signed_in, app, parameters):
    """The user is not redirected to an unregistered URI and stays signed in."""
    browser, tokens = signed_in
    placeholders = {"APP": app.id, "TOKEN": tokens["id_token"]}
    page = open_logout_link(
        browser, **{name: placeholders.get(value, value) for name, value in parameters.items()}
    )
    assert (page.status, page.url.startswith(ISSUER)) == (400, True)
    assert "code" in browser.authorize(app.id).answer

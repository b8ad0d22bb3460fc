"""The menu of a user's pages, and keyboard navigation."""

import re

import pytest

from server.http import cookies
from server.services.users.users import UserChanges, Users
from server.web.serving import OWN_MENU
from tests.support.builders.installation import BY
from tests.support.builders.passkey import new_browser
from tests.support.builders.site import ISSUER


@pytest.fixture
def browser(local):
    """Eva, whose only device is a passkey."""
    return new_browser(local)


def _page(browser, path="/"):
    client = browser.local.app.test_client()
    client.set_cookie(cookies.name(browser.local.server_policy), browser.cookie)
    return client.get(path, base_url=ISSUER)


@pytest.mark.parametrize("entry", OWN_MENU, ids=lambda entry: entry.key)
def test_every_menu_entry_leads_to_a_page_marked_as_current(browser, entry):
    """Both the desktop menu and the phone menu mark the current page."""
    page = _page(browser, entry.path)
    assert page.status_code == 200
    current = f'<a href="{entry.path}" aria-current="page">{entry.words}</a>'
    assert page.text.count(current) == 2
    assert page.text.count("aria-current") == 2


def test_the_first_keyboard_stop_skips_the_menu(browser):
    """The first link of a page leads to the main content."""
    links = re.findall(r'<a [^>]*href="([^"]*)"', _page(browser).text)
    assert links[0] == "#main"
    assert '<main id="main" tabindex="-1">' in _page(browser).text


def test_only_users_with_a_role_see_the_console_link(browser, local):
    """Users without a role cannot open any console page."""
    assert 'href="/admin"' not in _page(browser).text
    users = Users(local.services.store, local.services.secrets)
    users.update("eva", UserChanges(roles=("auditor",)), by=BY)
    assert _page(browser).text.count('<a href="/admin">Console</a>') == 2

"""Recovery after the loss of the only passkey, in three browsers."""

from server.services.users.users import UserChanges, Users
from tests.support.browsers.chromium import Chromium, stranger
from tests.support.builders.clock import DAY
from tests.support.checks.log_and_rows import waiting
from tests.support.clients.agent import Agent
from tests.support.servers.server import BY, LiveServer


def test_a_user_who_lost_every_passkey_returns_by_an_administrators_link(
    server: LiveServer, browser: Chromium, tab: Chromium, agent: Agent
) -> None:
    """The lost passkey is removed. The new one can't approve high-risk requests for a day."""
    user = _add_user_without_browser(server, browser)
    link = _link(server, tab, user)
    with stranger(browser) as new:
        new.add_passkey_holder()
        _enroll(new, link)
        new.open(f"{server.url}/devices")
        new.see("document.querySelectorAll('[data-remove]').length === 2")
        new.click(".row:not(:has(.kind)) [data-remove]")
        new.click("#sure-yes")
        new.see("document.querySelectorAll('[data-remove]').length === 1")
        handle = agent.request_approval(user)
        _approve(server, new, user)
        assert agent.poll(handle).json()["token_type"] == "Bearer"
        agent.ask_payment(user)
        new.open(f"{server.url}/r/{waiting(server, user)[0].id}")
        new.wait_for_text("This passkey is new. It can approve high-risk requests from")
        assert new.ask("document.getElementById('to-approve').disabled") is True
        new.open("about:blank")  # the page of a request goes to its record when it expires
        server.clock.forward(DAY)
        handle = agent.ask_payment(user).json()["auth_req_id"]
        _approve(server, new, user)
        assert agent.poll(handle).json()["token_type"] == "Bearer"
        assert new.complaints() == []


def _add_user_without_browser(server: LiveServer, browser: Chromium) -> str:
    """Return a user who lost their browser with their only passkey."""
    user, code = server.user()
    with stranger(browser) as lost_browser:
        lost_browser.add_passkey_holder()
        _enroll(lost_browser, f"{server.url}/enroll#{code}")
    return user


def _link(server: LiveServer, tab: Chromium, user: str) -> str:
    """Return the link for this user from an administrator's console, signed with a passkey."""
    name, code = server.user()
    users = Users(server.services.store, server.services.secrets)
    users.update(name, UserChanges(roles=("admin",)), by=BY)
    _enroll(tab, f"{server.url}/enroll#{code}")
    tab.open(f"{server.url}/admin/users/{users.show(user)[0].id}")
    tab.click("form[action$='/code'] button")
    tab.click("#sign .primary")
    tab.wait_for_text("The code is shown only once.")
    return tab.text("pre code")


def _enroll(tab: Chromium, link: str) -> None:
    tab.open(link)
    tab.click("#make button")
    tab.wait_for_text("Waiting for you")


def _approve(server: LiveServer, tab: Chromium, user: str) -> None:
    tab.open(f"{server.url}/r/{waiting(server, user)[0].id}")
    tab.click("#to-approve")
    tab.click("#approve-now")
    tab.wait_for_text("Approved by")

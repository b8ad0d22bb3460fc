"""Read-only pages and the console while the server is unreachable and when it returns."""

import contextlib
from collections.abc import Iterator

import pytest

from server.services.users.users import UserChanges, Users
from tests.support.browsers.chromium import Chromium
from tests.support.browsers.first_sign_in import enroll_too, newcomer
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import Terminal, new_person
from tests.support.servers.server import BY, LiveServer

_NETWORK = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
_INERT = "Array.from(document.querySelectorAll('{}')).every(each => each.closest('[inert]'))"
_OFFLINE_MESSAGES = '["Can\'t reach the server.", "Not connected. Last updated"]'
"""The button or the page shows its message, whichever notices first."""
_LOADED = "document.readyState === 'complete'"
_EXISTS = "document.querySelector('{}') !== null"


@pytest.fixture
def person(server: LiveServer) -> Iterator[Terminal]:
    """An administrator with a terminal."""
    new_admin = new_person(server)
    users = Users(server.services.store, server.services.secrets)
    users.update(new_admin.user, UserChanges(roles=("admin",)), by=BY)
    yield new_admin
    new_admin.client.close()


@pytest.fixture
def page(server: LiveServer, tab: Chromium, person: Terminal) -> Chromium:
    """The administrator's inbox in a browser."""
    tab.look(width=1200, height=1000)
    enroll_too(tab, server, person.user)
    tab.tell("Network.enable")
    return tab


def test_offline_pages_show_their_age_and_send_nothing(
    server: LiveServer, page: Chromium, person: Terminal, agent: Agent
) -> None:
    """The pages stay signed in, and they recover when the browser is online again."""
    handle = agent.request_approval(person.user)
    approval_id = person.approve(person.only_request()).id
    assert agent.poll(handle).status_code == 200
    for path, buttons in (
        (f"/done/{approval_id}", "#token button"),
        ("/history", ".finds button"),
        (f"/receipt/{approval_id}", ".leave button"),
        ("/install", ".leave button"),
        (f"/r/{approval_id}", ".leave button"),
    ):
        page.open(f"{server.url}{path}")
        _check_while_offline(page, f":is({buttons}, .leave button)")


def test_a_page_that_was_not_refreshed_shows_its_real_age(
    server: LiveServer, page: Chromium
) -> None:
    """Reaching the server does not make old content newer."""
    page.open(f"{server.url}/history")
    health_checks = "performance.getEntriesByName(location.origin + '/healthz').length"
    page.later(600)
    before = page.ask(health_checks)
    page.see(f"{health_checks} > {before}")
    _set_offline(page, offline=True)
    page.see("/[(]1[0-9] min ago[)]/.test(document.getElementById('offline').innerText)")
    _set_offline(page, offline=False)


def test_offline_a_retry_cannot_be_requested(
    server: LiveServer, page: Chromium, person: Terminal, agent: Agent
) -> None:
    """The button is disabled until the server can be reached again."""
    agent.request_approval(person.user, requested_expiry="60")
    approval_id = person.only_request().id
    server.clock.forward(120_000)
    page.open(f"{server.url}/r/{approval_id}")
    page.see("document.getElementById('retry')?.disabled === false")
    _set_offline(page, offline=True)
    page.see("document.getElementById('retry').inert")
    _set_offline(page, offline=False)
    page.see("!document.getElementById('retry').inert")
    page.click("#retry")
    page.wait_for_text("its agent was told to retry")


def test_a_code_shown_once_stays_visible_offline(server: LiveServer, tab: Chromium) -> None:
    """The page is not reloaded, because the code could not be shown again."""
    newcomer(tab, server)
    tab.tell("Network.enable")
    tab.open(f"{server.url}/devices")
    tab.click("#another button")
    tab.click("#sign .primary")
    tab.wait_for_text("Enroll another device")
    code = tab.text(".big")
    _check_while_offline(tab, ".leave button")
    assert tab.text(".big") == code


def test_the_console_offline_sends_nothing_and_keeps_typed_text(
    server: LiveServer, page: Chromium, person: Terminal, agent: Agent
) -> None:
    """Forms, lists with actions and searches are inert while the browser is offline."""
    agent.request_approval(person.user)
    group, approval_id, agent_id = "/admin/new/group", person.only_request().id, agent.key.id
    for path, buttons, field in (
        (group, "main form .primary", "#name"),
        (f"/admin/agents/{agent_id}", ".acts .danger, form[action$=secret] button", "#add_owners"),
        (f"/admin/agents/{agent_id}/disable", "main .danger", ""),
        (f"/admin/approvals/{approval_id}", "form[action$=cancel] button", "#reason"),
        (f"/admin/approvals/{approval_id}", "form[action$=escalate] button", "#to"),
        ("/admin/approvals", ".filter button", "#agent"),
        ("/admin/devices", "main form .danger", "#user"),
        ("/admin/policy", "[formaction$=set]", "#table"),
    ):
        page.open(f"{server.url}{path}")
        _check_while_offline(page, buttons, field)


def test_a_refused_form_is_kept_offline(server: LiveServer, page: Chromium) -> None:
    """The address of a refused form cannot be loaded, so the same page must stay."""
    page.open(f"{server.url}/admin/new/group")
    mixed = "\N{CYRILLIC SMALL LETTER O}ps"
    page.type("#name", mixed)
    page.click("main .primary")
    page.wait_for_text("Check this field")
    page.events.clear()  # the refused form was logged
    _set_offline(page, offline=True)
    page.see(_INERT.format("main .primary"))
    _set_offline(page, offline=False)
    page.see(f"!{_INERT.format('main .primary')}")
    assert page.ask("document.getElementById('name').value") == mixed
    page.wait_for_text("Check this field")


def test_a_form_is_not_sent_to_a_server_that_just_went_away(
    server: LiveServer, page: Chromium
) -> None:
    """Pressing the button reveals that the server is down, and the typed text is kept."""
    page.open(f"{server.url}/admin/new/group")
    page.type("#name", "ops")
    with _stopped(server, page):
        page.click("main .primary")
        page.wait_for_text("Not connected. Last updated")
        assert page.ask("document.getElementById('name').value") == "ops"
    page.see("document.getElementById('offline').hidden")
    page.click("main .primary")
    page.wait_for_text("This change needs your passkey")
    with _stopped(server, page):
        page.click(".leave button")
        page.wait_for_text("Not connected. Last updated")
    page.see("document.getElementById('offline').hidden")
    with _stopped(server, page):
        page.click("#sign .primary")
        page.see(f"{_OFFLINE_MESSAGES}.some((words) => document.body.innerText.includes(words))")
    page.see(f"!{_INERT.format('#sign .primary')}")
    assert page.ask("document.getElementById('sign').elements.name.value") == "ops"


def test_the_user_can_sign_out_when_a_request_was_already_decided(
    server: LiveServer, page: Chromium, person: Terminal, agent: Agent
) -> None:
    """After a decision on another device, only the decision buttons are disabled."""
    agent.request_approval(person.user)
    page.open(f"{server.url}/r/{person.only_request().id}")
    page.click("#to-deny")
    page.type("#note", "12")
    person.deny(person.only_request())
    page.wait_for_text("on laptop")
    page.see(_INERT.format("#no [type=submit]"))
    page.click(".leave button")
    page.wait_for_text("Sign in")


def _check_while_offline(page: Chromium, buttons: str, field: str = "") -> None:
    """Go offline and online again: offline, no button works, and typed text is kept."""
    url = page.ask("location.href")
    page.see(f"{_EXISTS.format(buttons)} && !{_INERT.format(buttons)}")
    _set_offline(page, offline=True)
    page.wait_for_text("Not connected. Last updated")
    page.see("/[(][0-9]+ s ago[)]/.test(document.getElementById('offline').innerText)")
    page.see(_INERT.format(buttons))
    if field:
        page.type(field, "12")
        page.press("Enter")
    page.click(buttons)
    assert page.ask("location.href") == url
    _set_offline(page, offline=False)
    page.see("document.getElementById('offline').hidden")
    page.see(f"!{_INERT.format(buttons)}")
    if field:
        assert page.ask(f"document.querySelector('{field}').value").strip() == "12"


@contextlib.contextmanager
def _stopped(server: LiveServer, page: Chromium) -> Iterator[None]:
    """Stop the server after the page's scripts were loaded, and start it again afterwards."""
    page.see(_LOADED)
    server.stop()
    try:
        yield
    finally:
        server.start()


def _set_offline(page: Chromium, *, offline: bool) -> None:
    """Go offline or online, once the page's scripts have loaded: each load revalidates them."""
    page.see(_LOADED)
    page.tell("Network.emulateNetworkConditions", offline=offline, **_NETWORK)

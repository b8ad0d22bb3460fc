"""Console pages that refresh themselves without moving their content."""

import pytest

from server.services.clients.agents import Agents
from tests.support.browsers.chromium import Chromium
from tests.support.browsers.first_sign_in import newcomer
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import Terminal, new_person
from tests.support.servers.server import BY, LiveServer

_REFRESHES = """performance.getEntriesByName(location.href.split('#')[0])
  .filter(each => each.initiatorType === 'xmlhttprequest').length"""
_TOP = "document.activeElement.getBoundingClientRect().top"


@pytest.fixture
def page(server: LiveServer, tab: Chromium) -> Chromium:
    """An administrator's inbox."""
    tab.look(width=1200, height=700)
    newcomer(tab, server, "admin")
    return tab


@pytest.fixture
def person(server: LiveServer) -> Terminal:
    """The user whom the agent asks."""
    return new_person(server)


def test_a_list_is_refreshed_in_place_and_new_rows_are_offered(
    server: LiveServer, page: Chromium, person: Terminal, agent: Agent
) -> None:
    """A row shows its new state. A new request is only announced, so that no row moves."""
    agent.request_approval(person.user)
    approval = person.only_request()
    page.open(f"{server.url}/admin/approvals?user={person.user}")
    page.wait_for_text("pending")
    page.ask("document.querySelector('main').began = true")
    person.deny(approval)
    _refresh(page)
    page.see("document.querySelector('[data-part] .state').textContent === 'denied'")
    assert page.ask("document.getElementById('news').hidden")
    agent.request_approval(person.user)
    _refresh(page)
    page.wait_for_text("Something changed. Show")
    assert page.ask("document.querySelectorAll('tbody tr').length") == 1
    assert page.ask("document.querySelector('main').began") is True
    page.click("#news a")
    page.see("document.querySelectorAll('tbody tr').length === 2")


def test_a_row_that_no_longer_matches_is_struck_through(
    server: LiveServer, page: Chromium, person: Terminal, agent: Agent
) -> None:
    """The row keeps its position until the user reloads the list."""
    agent.request_approval(person.user)
    page.open(f"{server.url}/admin/approvals?state=pending&user={person.user}")
    page.wait_for_text(agent.key.name)
    person.deny(person.only_request())
    _refresh(page)
    page.see("document.querySelector('tr.gone') !== null")
    page.wait_for_text("Something changed. Show")
    page.click("#news a")
    page.wait_for_text("No requests match.")


def test_a_focused_row_is_not_refreshed(
    server: LiveServer, page: Chromium, person: Terminal, agent: Agent
) -> None:
    """The focus stays at its position, and the page says that something changed."""
    for _ in range(5):
        agent.ask_payment(person.user)
    page.look(width=360, height=400)
    page.open(f"{server.url}/admin/approvals?user={person.user}")
    page.ask("document.querySelectorAll('tbody a')[3].focus()")
    assert page.ask("scrollY") > 0
    top = page.ask(_TOP)
    for each in person.waiting():
        person.deny(each)
    _refresh(page)
    page.see("document.querySelectorAll('tbody .denied').length === 4")
    page.see("!document.getElementById('news').hidden")
    assert page.ask("document.activeElement === document.querySelectorAll('tbody a')[3]")
    row_state = "document.querySelectorAll('tbody tr')[3].querySelector('.state').textContent"
    assert page.ask(row_state) == "pending"
    assert abs(page.ask(_TOP) - top) < 1
    page.ask("document.activeElement.blur()")
    _refresh(page)
    page.see(f"{row_state} === 'denied'")


def test_while_a_form_is_filled_in_nothing_else_on_the_page_changes(
    server: LiveServer, page: Chromium, person: Terminal, agent: Agent
) -> None:
    """Only a button that no longer works is disabled, and typed text is kept."""
    agent.request_approval(person.user)
    approval = person.only_request()
    page.open(f"{server.url}/admin/approvals/{approval.id}")
    page.type("#reason", "No longer needed")
    person.deny(approval)
    _refresh(page)
    page.wait_for_text("Something changed. Show")
    page.see("document.querySelector('form[action$=cancel] button').inert")
    assert page.ask("document.querySelector('.head .state').textContent") == "pending"
    assert page.ask("document.getElementById('reason').value") == "No longer needed"


def test_a_field_being_typed_in_holds_back_notices(
    server: LiveServer, page: Chromium, person: Terminal, agent: Agent
) -> None:
    """A notice would move the field, so it is shown when the field is left unchanged."""
    page.open(f"{server.url}/admin/approvals?user={person.user}")
    page.type("#agent", "some")
    agent.request_approval(person.user)
    for _ in range(2):
        before = page.ask(_REFRESHES)
        _refresh(page)
        page.see(f"{_REFRESHES} > {before}")
    assert page.ask("document.getElementById('news').hidden")
    page.ask("document.activeElement.blur(), document.querySelector('.filter').reset()")
    _refresh(page)
    page.wait_for_text("Something changed. Show")


def test_agent_pages_and_the_health_page_are_refreshed_too(
    server: LiveServer, page: Chromium, agent: Agent
) -> None:
    """These pages are refreshed every few seconds."""
    page.open(f"{server.url}/admin/agents/{agent.key.id}")
    page.wait_for_text("enabled")
    Agents(server.services.store, server.services.secrets).disable(agent.key.id, by=BY)
    page.see("document.querySelector('.head .state').textContent === 'disabled'")
    page.wait_for_text("Something changed. Show")
    for path in ("/admin", "/admin/incidents", "/admin/agents", "/admin/health"):
        page.open(f"{server.url}{path}")
        page.see(f"{_REFRESHES} > 0")


def _refresh(page: Chromium) -> None:
    """Make the page refresh now, as it does when the browser goes online again."""
    page.ask("window.dispatchEvent(new Event('online'))")

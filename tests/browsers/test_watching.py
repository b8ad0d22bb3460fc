"""Pages of the console that somebody watches: they stay true, and nothing on them moves."""

import pytest

from server.services.clients.agents import Agents
from tests.support.browsers.chromium import Chromium
from tests.support.browsers.first_sign_in import newcomer
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import Terminal, new_person
from tests.support.servers.server import BY, LiveServer

_LOOKS = """performance.getEntriesByName(location.href.split('#')[0])
  .filter(each => each.initiatorType === 'xmlhttprequest').length"""
_TOP = "document.activeElement.getBoundingClientRect().top"


@pytest.fixture
def page(server: LiveServer, tab: Chromium) -> Chromium:
    """The inbox of an administrator."""
    tab.look(width=1200, height=700)
    newcomer(tab, server, "admin")
    return tab


@pytest.fixture
def person(server: LiveServer) -> Terminal:
    """Who is asked."""
    return new_person(server)


def test_a_list_is_renewed_where_it_stands_and_what_is_new_is_offered(
    server: LiveServer, page: Chromium, person: Terminal, agent: Agent
) -> None:
    """A state changes in its row; a request that came is offered, and moves nothing."""
    agent.asked(person.user)
    asked = person.only()
    page.open(f"{server.url}/admin/approvals?user={person.user}")
    page.says("pending")
    page.ask("document.querySelector('main').began = true")
    person.deny(asked)
    _look(page)
    page.see("document.querySelector('[data-part] .state').textContent === 'denied'")
    assert page.ask("document.getElementById('news').hidden")
    agent.asked(person.user)
    _look(page)
    page.says("Something changed. Show")
    assert page.ask("document.querySelectorAll('tbody tr').length") == 1
    assert page.ask("document.querySelector('main').began") is True
    page.click("#news a")
    page.see("document.querySelectorAll('tbody tr').length === 2")


def test_what_is_no_more_in_a_whole_list_is_struck_through(
    server: LiveServer, page: Chromium, person: Terminal, agent: Agent
) -> None:
    """It stays where it is until somebody asks for the list of now."""
    agent.asked(person.user)
    page.open(f"{server.url}/admin/approvals?state=pending&user={person.user}")
    page.says(agent.key.name)
    person.deny(person.only())
    _look(page)
    page.see("document.querySelector('tr.gone') !== null")
    page.says("Something changed. Show")
    page.click("#news a")
    page.says("No request matches.")


def test_what_somebody_is_in_is_not_renewed_under_them(
    server: LiveServer, page: Chromium, person: Terminal, agent: Agent
) -> None:
    """Focus and place stay; the page says that something changed."""
    for _ in range(5):
        agent.ask_payment(person.user)
    page.look(width=360, height=400)
    page.open(f"{server.url}/admin/approvals?user={person.user}")
    page.ask("document.querySelectorAll('tbody a')[3].focus()")
    assert page.ask("scrollY") > 0
    top = page.ask(_TOP)
    for each in person.waiting():
        person.deny(each)
    _look(page)
    page.see("document.querySelectorAll('tbody .denied').length === 4")
    page.see("!document.getElementById('news').hidden")
    assert page.ask("document.activeElement === document.querySelectorAll('tbody a')[3]")
    held = "document.querySelectorAll('tbody tr')[3].querySelector('.state').textContent"
    assert page.ask(held) == "pending"
    assert abs(page.ask(_TOP) - top) < 1
    page.ask("document.activeElement.blur()")
    _look(page)
    page.see(f"{held} === 'denied'")


def test_while_a_form_is_filled_in_nothing_else_on_the_page_changes(
    server: LiveServer, page: Chromium, person: Terminal, agent: Agent
) -> None:
    """What may not be sent any more alone is barred, and said; what was typed stays."""
    agent.asked(person.user)
    asked = person.only()
    page.open(f"{server.url}/admin/approvals/{asked.id}")
    page.type("#reason", "No longer needed")
    person.deny(asked)
    _look(page)
    page.says("Something changed. Show")
    page.see("document.querySelector('form[action$=cancel] button').inert")
    assert page.ask("document.querySelector('.head .state').textContent") == "pending"
    assert page.ask("document.getElementById('reason').value") == "No longer needed"


def test_a_field_that_is_typed_in_holds_back_what_is_new(
    server: LiveServer, page: Chromium, person: Terminal, agent: Agent
) -> None:
    """A notice would move it; it comes when the field is left as it was."""
    page.open(f"{server.url}/admin/approvals?user={person.user}")
    page.type("#agent", "some")
    agent.asked(person.user)
    for _ in range(2):
        before = page.ask(_LOOKS)
        _look(page)
        page.see(f"{_LOOKS} > {before}")
    assert page.ask("document.getElementById('news').hidden")
    page.ask("document.activeElement.blur(), document.querySelector('.filter').reset()")
    _look(page)
    page.says("Something changed. Show")


def test_an_agent_and_the_health_of_the_server_are_watched_too(
    server: LiveServer, page: Chromium, agent: Agent
) -> None:
    """By the same look, every few seconds."""
    page.open(f"{server.url}/admin/agents/{agent.key.id}")
    page.says("enabled")
    Agents(server.services.store, server.services.secrets).disable(agent.key.id, by=BY)
    page.see("document.querySelector('.head .state').textContent === 'disabled'")
    page.says("Something changed. Show")
    for path in ("/admin", "/admin/incidents", "/admin/agents", "/admin/health"):
        page.open(f"{server.url}{path}")
        page.see(f"{_LOOKS} > 0")


def _look(page: Chromium) -> None:
    """Have the page look now, as a browser does that has its network back."""
    page.ask("window.dispatchEvent(new Event('online'))")

"""A decision without a confirmation: the page checks it before it shows the result."""

import json
from collections.abc import Iterator

import pytest

from server.protocol.approvals.states import State
from tests.support.browsers.chromium import Chromium
from tests.support.browsers.first_sign_in import enroll_too
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import Terminal, new_person
from tests.support.servers.server import LiveServer

_PROBLEM = "document.getElementById('problem')?.innerText ?? ''"
_CHECKING = "Checking whether your denial was recorded"
_STATES = {
    "recorded": (200, 204),
    "not_recorded": (400, 401, 403, 404, 409, 422, 423, 429),
    "in_doubt": (None, 408, 500, 502, 503, 504),
}


@pytest.fixture
def person(server: LiveServer) -> Iterator[Terminal]:
    """A user with a terminal."""
    new_user = new_person(server)
    yield new_user
    new_user.client.close()


@pytest.fixture
def asked(server: LiveServer, tab: Chromium, person: Terminal, agent: Agent) -> str:
    """Return the ID of a request whose denial is waiting in the five seconds before it is sent."""
    tab.look(width=1200, height=1800)
    enroll_too(tab, server, person.user)
    agent.request_approval(person.user)
    approval_id = person.only_request().id
    tab.open(f"{server.url}/r/{approval_id}")
    tab.click("#to-deny")
    tab.click("#no [type=submit]")
    tab.see("document.getElementById('think').hidden === false")
    return approval_id


def _state(server: LiveServer, approval_id: str) -> State:
    with server.services.store.read() as view:
        approval = view.approvals.get(approval_id)
    assert approval is not None
    return approval.state


def test_a_stopped_server_is_waited_for(server: LiveServer, tab: Chromium, asked: str) -> None:
    """Until the server continues, the page only says that it is checking."""
    server.suspend()
    try:
        tab.see(f"({_PROBLEM}).startsWith({json.dumps(_CHECKING)})")
        assert "Denied" not in tab.text("main")
        assert "not recorded" not in tab.text("main")
    finally:
        server.go_on()
    tab.see(f"location.pathname === '/done/{asked}'")
    tab.wait_for_text("Denied by")
    assert _state(server, asked) is State.DENIED


def test_a_denial_to_an_absent_server_is_sent_again(
    server: LiveServer, tab: Chromium, asked: str
) -> None:
    """The same bytes are sent when the server is back; until then, no button works."""
    server.kill()
    tab.see(f"({_PROBLEM}).startsWith({json.dumps(_CHECKING)})")
    tab.see("document.querySelector('#no [type=submit]').inert")
    server.start()
    tab.see(f"location.pathname === '/done/{asked}'")
    tab.wait_for_text("Denied by")
    assert _state(server, asked) is State.DENIED


def test_each_state_of_knowledge_has_its_own_message(
    server: LiveServer, tab: Chromium, person: Terminal
) -> None:
    """A decision that may still arrive is called neither recorded nor not recorded."""
    enroll_too(tab, server, person.user)
    messages = {
        state: [tab.ask(_known(status)) for status in statuses]
        for state, statuses in _STATES.items()
    }
    assert messages == {state: [state] * len(statuses) for state, statuses in _STATES.items()}
    every = "Object.values(SAYS).map((say) => say('approval'))"
    says = f"import('/answer_state.js').then(({{ SAYS }}) => {every})"
    assert tab.ask(says) == [
        "Your approval was recorded.",
        "Checking whether your approval was recorded\N{HORIZONTAL ELLIPSIS}",
        "Your approval may or may not have been recorded. Reload this page.",
        "Your approval was not recorded. The request is still waiting.",
    ]


def _known(status: int | None) -> str:
    argument = "undefined" if status is None else str(status)
    return f"import('/answer_state.js').then((its) => its.known({argument}))"

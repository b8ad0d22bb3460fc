"""Ceremonies in addition to the passkey: type-back, match number, reason, second approver."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from server.protocol.approvals.states import State
from server.services.approvers.groups import Groups
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.agents import Agents
from server.services.policy import builtin_action_types
from server.services.policy.action_types import ActionTypes
from server.services.policy.policies import Policies
from tests.support.browsers.chromium import Chromium, stranger
from tests.support.browsers.first_sign_in import newcomer
from tests.support.builders.policies import rule
from tests.support.checks.log_and_rows import entries, state, waiting
from tests.support.checks.waiting import until
from tests.support.clients.agent import Agent
from tests.support.servers.server import BY, LiveServer

LAST_FOUR = "QXZW"
DETAIL = {
    "type": "payment.transfer",
    "amount": {"minor": 482_000, "currency": "EUR"},
    "payee": "Nordwind Logistik GmbH",
    "account": f"GB33BUKB20201555{LAST_FOUR}",
}
REASON = "It is on the list of November."
LOCKED = "This request is locked for you after two wrong entries."
WRONG = "The entry does not match the value to type back. One more wrong entry locks this request."
_SECONDS = 60.0
_PAUSES = """{
  const set = window.setTimeout, sure = document.getElementById("approve-now");
  window.pauses = [];
  window.setTimeout = (work, pause) => set(() => {
    const was = sure.disabled;
    work();
    if (was && !sure.disabled) window.pauses.push(pause);
  }, pause);
}"""
"""Makes the page record the delay after which it enables its button."""


@dataclass(frozen=True, slots=True)
class Person:
    """A user with a passkey in a browser context of their own."""

    server: LiveServer
    name: str
    tab: Chromium

    def read(self, before: str = "") -> str:
        """Opens the one pending request and goes on to the approval step.

        `before` is run on the page in between.
        """
        (approval,) = waiting(self.server, self.name)
        self.tab.open(f"{self.server.url}/r/{approval.id}")
        self.tab.ask(before)
        self.step()
        return approval.id

    def step(self) -> None:
        """Go to the approval step."""
        self.tab.click("#to-approve")
        self.tab.see("document.activeElement.id === 'approve-title'")

    def approve(self, **typed: str) -> None:
        """Type into these fields and press the button."""
        for name, text in typed.items():
            self.tab.type(f"#{name}", text)
        self.tab.click("#approve-now")

    def is_refused(self, status: int, words: str) -> None:
        """Wait for this message; the console may report only the refused request."""
        self.tab.see(f"document.getElementById('problem').innerText === {json.dumps(words)}")
        (only,) = until(lambda: self.tab.ask("1") and self.tab.complaints(), _SECONDS)
        assert f"status of {status}" in only
        self.tab.events.clear()


@pytest.fixture(scope="module", autouse=True)
def shipped_payment(server: LiveServer) -> None:
    """Payments use the built-in action type."""
    ActionTypes(server.services.store).update(
        builtin_action_types.registrable("payment.transfer"), by=BY
    )


@pytest.fixture
def person(server: LiveServer, tab: Chromium) -> Person:
    """The user whom the agent asks."""
    return _enrolled(server, tab)


@pytest.fixture
def second(server: LiveServer, browser: Chromium) -> Iterator[Person]:
    """A second user, in a separate browser context."""
    with stranger(browser) as other:
        other.add_passkey_holder()
        yield _enrolled(server, other)
        assert other.complaints() == []


def _enrolled(server: LiveServer, tab: Chromium) -> Person:
    tab.look(width=1200, height=1800)  # every fact is seen without scrolling
    name = newcomer(tab, server)
    return Person(server, name, tab)


def _request_payment(agent: Agent, person: Person) -> dict[str, str]:
    """Request a payment of the built-in type; return the acknowledgement."""
    details = json.dumps([DETAIL])
    answer = agent.ask(person.name, scope="openid payments:transfer", authorization_details=details)
    assert answer.status_code == 200, answer.text
    problem: dict[str, str] = answer.json()
    return problem


def _with_screen(server: LiveServer, agent: Agent) -> None:
    Agents(server.services.store, server.services.secrets).update(
        agent.key.id, AgentChanges(interactive=True), by=BY
    )


def _rules(server: LiveServer, agent: Agent, **asks: str) -> None:
    """Set a policy for requests from this agent."""
    more = [f"ask.{name} = {value}" for name, value in asks.items()]
    wants = rule("ask", f'when.agent = ["{agent.key.name}"]', *more)
    Policies(server.services.store).set(wants, by=BY)


def _group(server: LiveServer, *people: Person) -> str:
    """Create a group of these users and return it as a policy names it."""
    name = f"board-{people[0].name}"
    names = [user.name for user in people]
    Groups(server.services.store, server.services.secrets).add(name, names, by=BY)
    return f'["{name}"]'


def _fields(tab: Chromium) -> list[str]:
    """Return the names of the fields in the approval step."""
    named: list[str] = tab.ask(
        "Array.from(document.querySelectorAll('#yes input:not([type=hidden])'), one => one.name)"
    )
    return named


def test_a_right_type_back_issues_the_agents_token(
    server: LiveServer, agent: Agent, person: Person
) -> None:
    """A new account needs its last four characters; a known account needs the amount."""
    acknowledgement = _request_payment(agent, person)
    person.read()
    person.tab.wait_for_text("the last 4 characters of To account")
    assert _fields(person.tab) == ["fact"]
    person.approve(fact=LAST_FOUR.lower())
    person.tab.wait_for_text("Approved by")
    assert agent.poll(acknowledgement["auth_req_id"]).json()["authorization_details"][0] == DETAIL
    second_request = _request_payment(agent, person)
    approval = person.read()
    person.tab.wait_for_text("Type Amount")
    person.approve(fact="4820")
    person.tab.wait_for_text("Approved by")
    assert agent.poll(second_request["auth_req_id"]).json()["token_type"] == "Bearer"
    (entry,) = entries(server, "approval.approved", approval_id=approval)
    assert "type_back" in json.dumps(entry)


def test_a_wrong_type_back_is_shown_and_decides_nothing(
    server: LiveServer, agent: Agent, person: Person
) -> None:
    """The step stays open, and the request can then be approved with the right value."""
    acknowledgement = _request_payment(agent, person)
    approval = person.read()
    person.approve(fact="0000")
    person.is_refused(422, WRONG)
    assert state(server, approval) == (State.PENDING, None)
    assert person.tab.ask("document.getElementById('fact').value") == "0000"
    person.approve(fact=LAST_FOUR)
    person.tab.wait_for_text("Approved by")
    assert agent.poll(acknowledgement["auth_req_id"]).json()["token_type"] == "Bearer"


def test_an_empty_type_back_is_asked_for_before_the_passkey(
    server: LiveServer, agent: Agent, person: Person
) -> None:
    """An empty field does not count as an attempt."""
    _request_payment(agent, person)
    approval = person.read()
    person.approve()
    person.tab.see("document.activeElement.id === 'fact' && !document.activeElement.validity.valid")
    with server.services.store.read() as view:
        asked = view.approvals.get(approval)
        assert asked is not None
        assert view.ceremony_attempts.counts_by_step(approval, (asked.user_id or "", "")) == {}


def test_two_wrong_type_backs_lock_a_request_with_one_approver(
    server: LiveServer, agent: Agent, person: Person
) -> None:
    """The page shows that the request is locked, and the agent gets the reason."""
    acknowledgement = _request_payment(agent, person)
    approval = person.read()
    person.approve(fact="0000")
    person.is_refused(422, WRONG)
    person.approve(fact="1111")
    person.is_refused(423, LOCKED)
    person.tab.wait_for_text("This request is closed: locked.")
    assert state(server, approval) == (State.CANCELLED, "locked")
    reply = agent.poll(acknowledgement["auth_req_id"]).json()
    assert (reply["error"], reply["reason"]) == ("access_denied", "locked")


def test_two_wrong_type_backs_lock_one_approver_and_another_may_still_approve(
    server: LiveServer, agent: Agent, person: Person, second: Person
) -> None:
    """The lock is shown immediately and after a reload; the locked approver may still deny."""
    _rules(server, agent, quorum="1", who=_group(server, person, second))
    acknowledgement = _request_payment(agent, person)
    approval = person.read()
    person.approve(fact="0000")
    person.is_refused(422, WRONG)
    person.approve(fact="1111")
    person.is_refused(423, LOCKED)
    person.tab.see("document.getElementById('approve-now').inert")
    person.tab.see("document.activeElement.matches('#approve [data-back]')")
    person.tab.click("#approve [data-back]")
    person.tab.see("document.getElementById('to-approve').inert")
    assert state(server, approval) == (State.PENDING, None)
    person.tab.open(f"{server.url}/r/{approval}")
    person.tab.see(f"document.getElementById('hint').innerText === {json.dumps(LOCKED)}")
    person.tab.see("!document.getElementById('to-deny').disabled")
    assert person.tab.ask("document.getElementById('to-approve').disabled") is True
    second.tab.front()
    second.read()
    second.approve(fact=LAST_FOUR)
    second.tab.wait_for_text("Approved by")
    assert agent.poll(acknowledgement["auth_req_id"]).json()["token_type"] == "Bearer"


def test_the_type_back_value_is_not_shown_next_to_its_field(agent: Agent, person: Person) -> None:
    """The value is hidden on the screen and in the step's HTML; Back shows it again.

    The headline stays, because it does not contain the value, and the button says what it does.
    """
    _request_payment(agent, person)
    person.read()
    page_text, step = (
        person.tab.text(),
        person.tab.ask("document.getElementById('approve').outerHTML"),
    )
    for text in (page_text, step, person.tab.ask("document.title")):
        assert LAST_FOUR not in text
    assert "Pay EUR 4,820.00 to Nordwind Logistik GmbH" in page_text
    assert person.tab.text("#approve-now") == "Pay EUR 4,820.00"
    person.tab.click("#approve [data-back]")
    person.tab.wait_for_text(LAST_FOUR)


def test_a_narrowed_request_needs_a_type_back_too(
    server: LiveServer, agent: Agent, person: Person
) -> None:
    """The comparison is shown first; the next step hides the fact that must be typed."""
    acknowledgement = _request_payment(agent, person)
    (waits,) = waiting(server, person.name)
    person.tab.open(f"{server.url}/r/{waits.id}/limit")
    person.tab.type("[name='fact.0']", "500")
    person.tab.click(".less button")
    person.tab.wait_for_text("EUR 500.00")
    assert person.tab.ask("document.getElementById('fact').checkVisibility()") is False
    person.tab.click("#to-approve")
    person.tab.see("document.activeElement.id === 'less-title'")
    assert LAST_FOUR not in person.tab.text()
    person.tab.wait_for_text("Pay EUR 4,820.00 to Nordwind Logistik GmbH")
    person.tab.click("#yes [data-back]")
    person.tab.wait_for_text(LAST_FOUR)
    person.tab.click("#to-approve")
    person.approve(fact="0000")
    person.is_refused(422, WRONG)
    person.approve(fact=LAST_FOUR)
    person.tab.wait_for_text("Approved by")
    details = agent.poll(acknowledgement["auth_req_id"]).json()["authorization_details"]
    assert details[0]["amount"]["minor"] == 50_000


def test_the_match_number_is_typed_and_on_no_page(
    server: LiveServer, agent: Agent, person: Person
) -> None:
    """The risk is medium and the agent interactive; a wrong number is reported."""
    _with_screen(server, agent)
    _rules(server, agent, risk='"medium"')
    acknowledgement = agent.ask(person.name).json()
    number = acknowledgement["match_code"]
    person.read()
    person.tab.wait_for_text("medium risk")
    assert _fields(person.tab) == ["match"]
    assert number not in person.tab.ask("document.getElementById('approve').innerText")
    person.approve(match=f"{(int(number) + 1) % 1000:03}")
    person.is_refused(422, WRONG.replace("value to type back", "number that the agent shows"))
    person.approve(match=number)
    person.tab.wait_for_text("Approved by")
    assert agent.poll(acknowledgement["auth_req_id"]).json()["token_type"] == "Bearer"


def test_two_approvers_do_every_ceremony_and_the_second_reads_the_firsts_reason(
    server: LiveServer, agent: Agent, person: Person, second: Person
) -> None:
    """Critical risk requires type-back, match number, reason and a second approver."""
    _with_screen(server, agent)
    both = _group(server, person, second)
    _rules(server, agent, quorum="2", who=both, risk='"critical"')
    acknowledgement = _request_payment(agent, person)
    typed = {"fact": LAST_FOUR, "match": acknowledgement["match_code"], "reason": REASON}
    person.tab.front()
    approval = person.read()
    assert _fields(person.tab) == list(typed)
    person.approve(**typed)
    person.tab.wait_for_text("Your approval was counted")
    person.tab.wait_for_text("1 of 2 approved, needs ")
    assert state(server, approval) == (State.PENDING, None)
    second.tab.front()
    second.tab.open(f"{server.url}/r/{approval}")
    second.tab.wait_for_text("1 of 2 approved.")
    second.tab.wait_for_text(REASON)
    second.step()
    second.approve(**typed)
    second.tab.wait_for_text("Approved by")
    assert agent.poll(acknowledgement["auth_req_id"]).json()["token_type"] == "Bearer"


def test_an_approver_withdraws_their_approval(
    server: LiveServer, agent: Agent, person: Person, second: Person
) -> None:
    """The request waits for that approver again, and the other approval becomes the first."""
    _rules(server, agent, quorum="2", who=_group(server, person, second))
    acknowledgement = _request_payment(agent, person)
    person.tab.front()
    approval = person.read()
    person.approve(fact=LAST_FOUR)
    person.tab.wait_for_text("1 of 2 approved, needs ")
    person.tab.open(f"{server.url}/r/{approval}")
    person.tab.click("#withdraw")
    person.tab.see("document.querySelector('#to-approve:not([disabled])') !== null")
    person.tab.wait_for_text("withdrew their approval")
    assert len(entries(server, "approval.vote_withdrawn", approval_id=approval)) == 1
    second.tab.front()
    second.read()
    second.approve(fact=LAST_FOUR)
    second.tab.wait_for_text("1 of 2 approved, needs ")
    person.tab.front()
    person.read()
    person.approve(fact=LAST_FOUR)
    person.tab.wait_for_text("Approved by")
    assert agent.poll(acknowledgement["auth_req_id"]).json()["token_type"] == "Bearer"


@pytest.mark.parametrize("entry", ["", LAST_FOUR])
def test_an_open_request_that_another_approver_narrows_is_shown_again(
    server: LiveServer, agent: Agent, person: Person, second: Person, entry: str
) -> None:
    """Its page shows what is now granted, or says what happened if an entry would be lost."""
    _rules(server, agent, quorum="2", who=_group(server, person, second))
    _request_payment(agent, person)
    person.tab.front()
    approval = person.read()
    if entry:
        person.tab.type("#fact", entry)
    second.tab.front()
    second.tab.open(f"{server.url}/r/{approval}/limit")
    second.tab.type("[name='fact.0']", "500")
    second.tab.click(".less button")
    second.tab.wait_for_text("with limits")
    second.tab.click("#to-approve")
    second.approve(fact=LAST_FOUR)
    second.tab.wait_for_text("1 of 2 approved")
    person.tab.front()
    person.tab.wait_for_text("Another approver has narrowed" if entry else "EUR 500.00")
    person.tab.open(f"{server.url}/r/{approval}")
    person.tab.wait_for_text("EUR 500.00")


@pytest.mark.parametrize(
    ("risk", "pause"), [("low", 800), ("medium", 800), ("high", 2_000), ("critical", 3_000)]
)
def test_the_approve_button_waits_as_long_as_the_risk_requires(
    server: LiveServer, agent: Agent, person: Person, second: Person, risk: str, pause: int
) -> None:
    """The button is disabled until the delay for the risk is over."""
    both = _group(server, person, second)
    _rules(server, agent, quorum="2", who=both, risk=f'"{risk}"')
    agent.request_approval(person.name)
    person.tab.front()
    person.read(_PAUSES)
    person.tab.wait_for_text(f"{risk} risk")
    assert person.tab.see("pauses.length > 0 && pauses") == [pause]

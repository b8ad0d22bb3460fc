"""Quorums through the terminal client: what the second approver sees and signs."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from approver_tui.cli import documents, lines
from approver_tui.cli.approvals import listing
from approver_tui.cli.exits import Exit
from approver_tui.client.errors import AlreadyDecided, ApiError, Changed
from approver_tui.state.approvals.narrowing import Granted, Narrowing, Place, read_change
from approver_tui.state.notifications.events import EventName
from approver_tui.state.text import SafeText
from server.protocol.approvals.states import State
from server.services.approvers.groups import Groups
from server.services.policy.action_types import ActionTypes
from server.services.policy.policies import Policies
from tests.support.builders.installation import PAYMENT
from tests.support.builders.policies import rule
from tests.support.checks.log_and_rows import entries, state
from tests.support.clients.agent import Agent
from tests.support.clients.feed_frames import open_feed
from tests.support.clients.terminal import PIN, Terminal, new_person
from tests.support.inputs.commands import command
from tests.support.servers.server import BY, LiveServer

RACES = 12


@pytest.fixture
def second(server: LiveServer) -> Iterator[Terminal]:
    """A second user, at an enrolled terminal."""
    terminal = new_person(server)
    yield terminal
    terminal.client.close()


@pytest.fixture(autouse=True)
def finance_group(server: LiveServer, person: Terminal, second: Terminal) -> str:
    """Creates a group of both users and a policy that needs two approvals from it."""
    group = f"finance-{person.user}"
    Groups(server.services.store, server.services.secrets).add(
        group, [person.user, second.user], by=BY
    )
    policy = rule("ask", "ask.quorum = 2", f'ask.who = ["{group}"]')
    Policies(server.services.store).set(policy, by=BY)
    return group


def test_the_second_approval_completes_the_quorum_and_issues_the_token(
    server: LiveServer, agent: Agent, person: Terminal, second: Terminal, finance_group: str
) -> None:
    """Each approver completes the ceremony, and both screens and the agent see the progress."""
    handle = agent.ask_payment(person.user).json()["auth_req_id"]
    second_approval = second.only_request()
    text = "\n".join(lines.approval_in_full(second_approval, second.client.now()))
    listed = "\n".join(listing.entry_lines(second_approval, second.client.now()))
    with open_feed(person) as feed:
        first = second.approve(second_approval)
        frame = feed.event(EventName.VOTED)
    after = person.only_request()
    server.clock.forward(6_000)
    pending = agent.poll(handle)
    approved = person.approve(after)
    token = agent.poll(handle)

    assert f"0 of 2, needs two from {finance_group}" in text
    assert f"0 of 2, needs two from {finance_group}" in listed
    assert text.index("approvals:") > text.index(str(second_approval.display.facts[0].value))
    assert text.index("grants:") < text.index("approvals:") < text.index("expires in")
    assert (first.state, approved.state) == ("pending", "approved")
    assert frame["approval"]["vote_tally"]["have"] == 1
    assert f"{second.user}: approved" in "\n".join(lines.approval_in_full(after, 0))
    assert documents.summary(after)["vote_tally"]["left"] == [finance_group]
    assert pending.json()["approvals"] == "1/2"
    assert token.status_code == 200
    assert len(entries(server, "approval.approved", approval_id=second_approval.id)) == 1


def test_requests_that_this_user_approved_are_listed_separately_and_not_counted(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """`inbox`, `status` and the count for other logins omit requests that this user approved."""
    environment = {**server.environment, "SAYSO_APPROVER_HOME": str(person.home)}

    def run(*arguments: str) -> str:
        result = command("approver_tui", *arguments, environment=environment)
        assert result.returncode == 0, result.stderr
        return result.stdout

    agent.ask_payment(person.user)
    before = run("inbox")
    person.approve(person.only_request())
    after = run("inbox")
    status = json.loads(run("status", "--json"))

    assert "WAITING FOR OTHERS" not in before
    listing = after.splitlines()
    assert listing[:2] == ["No requests are waiting for you.", "WAITING FOR OTHERS"]
    assert listing[2].startswith("Pay EUR 4,820.00")
    assert (status["waiting"], status["waiting_for_others"]) == (0, 1)
    assert person.client.count() == 0


def test_a_user_who_is_not_an_approver_cannot_sign(
    agent: Agent, person: Terminal, second: Terminal
) -> None:
    """The client refuses a request for another user, unless it has several approvers."""
    agent.ask_payment(person.user)
    approval = person.only_request()
    single_approver = replace(approval, vote_tally=None)
    with pytest.raises(Changed, match="is for a different user"):
        second.approve(single_approver)


def test_one_denial_closes_the_request_for_both(
    server: LiveServer, agent: Agent, person: Terminal, second: Terminal
) -> None:
    """A later approval is refused, and the error contains the denied request."""
    handle = agent.ask_payment(person.user).json()["auth_req_id"]
    pending = person.only_request()
    late = second.only_request()
    person.deny(pending)
    with pytest.raises(AlreadyDecided) as refused:
        second.approve(late)

    assert refused.value.code == "no_effect"
    assert refused.value.approval.state == "denied"
    assert second.waiting() == person.waiting() == ()
    assert agent.poll(handle).json()["reason"] == "denied"
    assert len(entries(server, "approval.denied", approval_id=pending.id)) == 1


def test_one_user_has_one_vote(agent: Agent, person: Terminal, second: Terminal) -> None:
    """A repeated approval counts once, and a denial after it is refused with a remedy."""
    agent.ask_payment(person.user)
    pending = person.only_request()
    person.approve(pending)
    assert person.approve(pending).state == "pending"
    with pytest.raises(ApiError, match="withdraw your approval") as refused:
        person.deny(pending)

    assert (refused.value.status, refused.value.code) == (409, "already_voted")
    assert second.approve(second.only_request()).state == "approved"


def test_an_approval_is_withdrawn_from_a_shell(
    server: LiveServer, agent: Agent, person: Terminal, second: Terminal
) -> None:
    """A withdrawn approval no longer counts; the user may approve again; the receipt verifies."""
    environment = {**server.environment, "SAYSO_APPROVER_HOME": str(person.home)}
    handle = agent.ask_payment(person.user).json()["auth_req_id"]
    request = person.only_request()
    person.approve(request)
    with open_feed(second) as feed:
        result = command("approver_tui", "withdraw", request.id, environment=environment)
        frame = feed.event(EventName.VOTE_WITHDRAWN)
    first = second.approve(second.only_request())
    server.clock.forward(6_000)
    pending = agent.poll(handle)
    receipt = command("approver_tui", "receipt", request.id, environment=environment)
    again = person.approve(person.only_request())
    token = agent.poll(handle)

    assert result.stdout.startswith("Your approval is withdrawn (0 of 2"), result.stderr
    assert frame["approval"]["vote_tally"]["have"] == 0
    assert (first.state, pending.json()["approvals"]) == ("pending", "1/2")
    assert receipt.returncode == 0, receipt.stdout
    assert f"{person.user}'s withdrawal" in receipt.stdout
    assert (again.state, token.status_code) == ("approved", 200)
    with pytest.raises(AlreadyDecided):
        person.decider.withdraw(again)


def test_concurrent_votes_pass_the_quorum_once(
    server: LiveServer, agent: Agent, person: Terminal, second: Terminal
) -> None:
    """Two users complete the quorum exactly once; a user who votes twice never completes it."""
    with ThreadPoolExecutor(2) as threads:
        for race in range(RACES):
            handle = agent.request_approval(person.user)
            own_approval, theirs = person.only_request(), second.only_request()
            votes_twice = race % 3 == 0
            other = (person, own_approval) if votes_twice else (second, theirs)
            votes = [
                threads.submit(person.approve, own_approval),
                threads.submit(other[0].approve, other[1]),
            ]
            states = sorted(vote.result().state for vote in votes)
            server.clock.forward(6_000)
            answer = agent.poll(handle)
            people = {e["actor"] for e in _vote_entries(server, own_approval.id)}

            assert states == (["pending", "pending"] if votes_twice else ["approved", "pending"])
            assert (answer.status_code == 200) is (len(people) == 2)
            if votes_twice:
                second.deny(second.only_request())
                server.clock.forward(41 * 60_000)


def _vote_entries(server: LiveServer, approval_id: str) -> list[dict[str, object]]:
    kinds = ("approval.voted", "approval.approved")
    return [e for kind in kinds for e in entries(server, kind, approval_id=approval_id)]


def test_the_second_approver_sees_and_approves_the_narrowed_request(
    server: LiveServer, agent: Agent, person: Terminal, second: Terminal
) -> None:
    """The second approver signs the narrowed request, and their screen shows its limits."""
    document = json.dumps({**PAYMENT, "narrow": {"/amount": "lower"}})
    ActionTypes(server.services.store).update(document, by=BY)
    handle = agent.ask_payment(person.user).json()["auth_req_id"]
    pending, unnarrowed = person.only_request(), second.only_request()
    granted = person.decider.narrow(pending, Narrowing((read_change("amount=10"),)))
    person.decider.approve(pending, fingerprint=pending.fingerprint, pin=PIN, granted=granted)
    with pytest.raises(ApiError, match="has narrowed this request"):
        second.approve(unnarrowed)
    narrowed = second.only_request()
    text = "\n".join(lines.approval_in_full(narrowed, second.client.now()))
    approved = second.approve(narrowed)
    server.clock.forward(6_000)
    token = agent.poll(handle).json()

    assert narrowed.granted is not None
    assert narrowed.granted.text == granted.text
    assert "limits in the signed text:" in text
    assert "/authorization_details/0/amount/minor is 1000, not" in text
    assert approved.state == "approved"
    assert token["authorization_details"][0]["amount"]["minor"] == 1000


def test_an_invalid_narrowing_of_the_first_approver_is_not_signed(
    agent: Agent, person: Terminal, second: Terminal
) -> None:
    """The client does not sign if the server offers something that is not a narrowing."""
    agent.ask_payment(person.user)
    approval = second.only_request()
    other = Granted(approval.action_text, (), (Place(*[SafeText("x")] * 3),))
    for granted in (other, replace(other, text=approval.action_text.replace("EUR", "USD"))):
        with pytest.raises(Changed, match="other than what you asked for"):
            second.approve(replace(approval, granted=granted))
    second.deny(approval)


def test_an_excluded_user_cannot_approve_by_any_path(
    server: LiveServer, agent: Agent, person: Terminal, second: Terminal, finance_group: str
) -> None:
    """The API and the shell refuse the excluded user; the other user's approval counts."""
    rules = rule("ask", f'ask.who = ["{finance_group}"]', 'ask.exclude = ["user"]')
    Policies(server.services.store).set(rules, by=BY)
    handle = agent.ask_payment(person.user).json()["auth_req_id"]
    pending = person.only_request()
    with pytest.raises(ApiError) as refused:
        person.approve(pending)
    approve = ("approve", pending.id, "--fingerprint", pending.fingerprint, "--pin-stdin", "--json")
    environment = {**server.environment, "SAYSO_APPROVER_HOME": str(person.home)}
    result = command("approver_tui", *approve, environment=environment, stdin=PIN)
    assert refused.value.code == "not_eligible"
    assert (result.returncode, result.stdout) == (Exit.NOT_ALLOWED, ""), result.stderr
    assert state(server, pending.id) == (State.PENDING, None)
    second.approve(second.only_request())
    assert agent.poll(handle).status_code == 200

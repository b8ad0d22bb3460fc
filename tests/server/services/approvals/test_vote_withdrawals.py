"""Withdrawing a vote: what no longer counts, who may withdraw, and what is refused."""

import json
from typing import Any

import pytest

from approver_tui.client.jose import SigningKey
from server.audit_log.meaning import Meaning
from server.model.approvals import Approval
from server.protocol.approvals.states import State
from server.services.policy.policies import Policies
from tests.support.builders.callers import LocalAgent, LocalTerminal, another_device, new_person
from tests.support.builders.installation import BY, PAYMENT
from tests.support.builders.policies import rule
from tests.support.builders.site import Answer, LocalSite

pytestmark = pytest.mark.usefixtures("quorum")
WITHDRAW = {"decision": "withdraw", "ceremony": "none"}


@pytest.fixture
def bob(local: LocalSite) -> LocalTerminal:
    """Another person, with a device."""
    return new_person(local, "bob")


@pytest.fixture
def quorum(local: LocalSite, bob: LocalTerminal) -> None:
    """Policy asks two of three people."""
    new_person(local, "cleo")
    lines = ("ask.quorum = 2", f'ask.who = ["ana", "{bob.user.name}", "cleo"]')
    Policies(local.services.store).set(rule("ask", *lines), by=BY)


def withdrawal(person: LocalTerminal, approval: Approval, key: SigningKey | None = None) -> str:
    """Return a withdrawal that is signed with the session key by default."""
    return person.decision(approval.id, key or person.session, **WITHDRAW)


def withdraw(person: LocalTerminal, approval: Approval) -> Answer:
    """Sign and send a withdrawal."""
    return person.send_decision(approval.id, withdrawal(person, approval))


def count_votes(person: LocalTerminal, approval: Approval) -> int:
    """Return how many votes count."""
    return int(person.show(approval.id)["vote_tally"]["have"])


def test_a_withdrawn_vote_no_longer_counts(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal
) -> None:
    """A second approver then makes one of two votes, and the first may approve again."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    answer = withdraw(person, approval)
    (vote,) = answer.json["vote_tally"]["answers"]
    listed = [item["id"] for item in person.call("GET", "/api/approvals").json["items"]]
    second = bob.approve(approval.id)

    assert (answer.status, answer.json["state"]) == (200, "pending")
    assert (vote["decision"], vote["counts"]) == ("withdraw", False)
    assert (listed, answer.json["vote_tally"]["have"]) == ([approval.id], 0)
    assert (second.json["state"], second.json["vote_tally"]["have"]) == ("pending", 1)
    assert person.approve(approval.id).json["state"] == "approved"
    assert agent.poll(handle).status == 200
    _check_log(local)


def test_after_a_withdrawal_the_request_can_be_denied(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal
) -> None:
    """Nothing of the withdrawn vote prevents a denial."""
    _, approval = agent.request_approval()
    person.approve(approval.id)
    withdraw(person, approval)
    assert person.deny(approval.id).json["state"] == "denied"
    _check_log(local)


def test_the_entry_has_the_signature_and_the_votes_that_are_left(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal
) -> None:
    """The audit log alone shows who withdrew and who still approves."""
    new_person(local, "dan")
    lines = ("ask.quorum = 3", 'ask.who = ["ana", "bob", "dan"]')
    Policies(local.services.store).set(rule("ask", *lines), by=BY)
    _, approval = agent.request_approval()
    bob.approve(approval.id)
    person.approve(approval.id)
    signed = withdrawal(person, approval)
    person.send_decision(approval.id, signed)
    (entry,) = local.admin.entries("approval.vote_withdrawn")

    assert (entry["actor"], entry["decision"]) == (f"user:{person.user.id}", "pending")
    assert (entry["facts"]["signed"], entry["facts"]["yes"]) == (signed, [bob.user.id])
    assert "void" not in entry["facts"]


def test_no_earlier_decision_is_accepted_after_a_withdrawal(
    agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal
) -> None:
    """The vote, an unsent decision from another device and the withdrawal are all refused."""
    desktop = another_device(person)
    _, approval = agent.request_approval()
    vote, unsent = person.decision(approval.id), desktop.decision(approval.id)
    person.send_decision(approval.id, vote)
    first = withdrawal(person, approval)
    person.send_decision(approval.id, first)
    replayed = person.send_decision(approval.id, vote)
    late = desktop.send_decision(approval.id, unsent)
    person.approve(approval.id)
    again = person.send_decision(approval.id, first)

    assert replayed.refusal == late.refusal == again.refusal == (422, "invalid_decision")
    assert replayed.json["detail"] == "nonce does not match the server's value"
    assert count_votes(bob, approval) == 1


def test_a_second_withdrawal_needs_its_own_signature(
    agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal
) -> None:
    """Each withdrawal changes the nonce, so each needs a new signature."""
    _, approval = agent.request_approval()
    nonces = set()
    for _ in range(3):
        nonces.add(person.show(approval.id)["nonce"])
        assert person.approve(approval.id).json["vote_tally"]["have"] == 1
        assert withdraw(person, approval).json["vote_tally"]["have"] == 0
    assert len(nonces) == 3
    assert count_votes(bob, approval) == 0


def test_a_withdrawal_sent_twice_counts_once(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal
) -> None:
    """A client that lost the response may send it again."""
    _, approval = agent.request_approval()
    person.approve(approval.id)
    signed = withdrawal(person, approval)
    answers = [person.send_decision(approval.id, signed) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert len(local.admin.entries("approval.vote_withdrawn")) == 1


def test_another_device_withdraws_the_vote(agent: LocalAgent, person: LocalTerminal) -> None:
    """A vote belongs to the user, so any of their devices can withdraw it."""
    desktop = another_device(person)
    _, approval = agent.request_approval()
    person.approve(approval.id)
    assert withdraw(desktop, approval).json["vote_tally"]["have"] == 0


@pytest.mark.parametrize(
    "members",
    [{"code": "not_needed"}, {"ceremony": "confirm"}, {"granted": "a"}, {"decision": "approve"}],
)
def test_only_the_exact_withdrawal_is_accepted(
    agent: LocalAgent, person: LocalTerminal, members: dict[str, Any]
) -> None:
    """Other members are refused, and the session key alone cannot approve."""
    _, approval = agent.request_approval()
    person.approve(approval.id)
    signed = person.decision(approval.id, person.session, **{**WITHDRAW, **members})
    assert person.send_decision(approval.id, signed).status in {403, 422}
    assert count_votes(person, approval) == 1


def test_a_session_without_the_devices_key_cannot_withdraw_a_vote(
    agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal
) -> None:
    """An unknown key and another user are both refused."""
    _, approval = agent.request_approval()
    person.approve(approval.id)
    forged = person.send_decision(approval.id, withdrawal(person, approval, SigningKey.generate()))
    other = withdraw(bob, approval)

    assert forged.refusal == (403, "key_not_allowed")
    assert other.refusal == (409, "no_vote")
    assert count_votes(bob, approval) == 1


def test_a_decided_request_keeps_its_votes(
    agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal
) -> None:
    """A late withdrawal gets 409 with the current request."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    late = withdrawal(person, approval)
    bob.approve(approval.id)
    refused = person.send_decision(approval.id, late)

    assert refused.refusal == (409, "no_effect")
    assert refused.json["approval"]["vote_tally"]["have"] == 2
    assert agent.poll(handle).status == 200


@pytest.mark.parametrize("end", ["expired", "cancelled"])
def test_a_final_request_keeps_its_votes(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal, end: str
) -> None:
    """An overdue request keeps its votes even before it is marked as expired."""
    handle, approval = agent.request_approval(requested_expiry="60")
    person.approve(approval.id)
    late = withdrawal(person, approval)
    if end == "expired":
        local.clock.forward(approval.expires_at - local.clock.now())
    else:
        local.post_form("/revoke", {"token": handle, **agent.credentials})
    refused = person.send_decision(approval.id, late)

    assert refused.refusal == (409, "not_pending")
    assert local.stored_approval(approval.id).state in {State.EXPIRED, State.CANCELLED}
    assert local.admin.entries("approval.vote_withdrawn") == []


def test_a_request_for_one_approver_has_no_vote(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal
) -> None:
    """The first decision is final if the request needs only one approver."""
    Policies(local.services.store).set(rule("ask"), by=BY)
    _, approval = agent.request_approval()
    assert withdraw(person, approval).refusal == (409, "no_vote")
    assert local.stored_approval(approval.id).state is State.PENDING


def test_nobody_is_notified_again(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal
) -> None:
    """Other people's screens are updated without a new notification."""
    _, approval = agent.request_approval()
    person.approve(approval.id)
    before = local.admin.events(bob.user)
    withdraw(person, approval)
    assert local.admin.events(bob.user)[len(before) :] == ["approval.vote_withdrawn"]


def test_withdrawing_the_last_vote_for_limits_removes_them(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal
) -> None:
    """The full request can then be approved, and history gets the full amount again."""
    rules = {"narrow": {"/amount": "lower"}, "amount": "/amount"}
    local.admin.actions.update(json.dumps({**PAYMENT, **rules}), by=BY)
    _, approval = agent.request_payment()
    path = f"/api/approvals/{approval.id}/narrowing"
    body = {"changes": [{"fact": "/amount", "to": "100.00"}]}
    part = person.call("POST", path, body).json
    person.pin(approval.id)
    typed = person.entries(approval.id)
    members = {"granted": part["digest"], "ceremony": approval.ceremony}
    signed = person.decision(approval.id, person.high, **members)
    narrowed = person.send_decision(approval.id, signed, granted=part["text"], **typed)
    withdrawn = withdraw(person, approval)

    assert narrowed.json["granted"] is not None, narrowed.body
    assert withdrawn.json["granted"] is None
    assert local.stored_approval(approval.id).past == approval.past
    bob.approve(approval.id)
    assert person.approve(approval.id).json["state"] == "approved"


def _check_log(local: LocalSite) -> None:
    """Check that the entries obey the rules of the audit log."""
    meaning = Meaning()
    with local.services.store.read() as view:
        for entry in view.audit.tail(500):
            meaning.check(json.loads(entry.body))

"""Requests that need several people: who is asked, whose vote counts, and what ends them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from server.model.approvals import Approval
from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk
from server.services.approvers.groups import GroupChanges, Groups
from server.services.policy.policies import Policies
from server.services.resources.resources import ResourceChanges
from server.services.users.users import UserChanges
from tests.support.builders.callers import LocalAgent, LocalTerminal, another_device, new_person
from tests.support.builders.installation import BY, PAY, PAYMENT
from tests.support.builders.policies import rule
from tests.support.builders.site import LocalSite

TWO = "ask.quorum = 2"
Put = Callable[..., None]


@pytest.fixture
def bob(local: LocalSite) -> LocalTerminal:
    """Another person, with a device."""
    return new_person(local, "bob")


@pytest.fixture
def cleo(local: LocalSite) -> LocalTerminal:
    """A third person, with a device."""
    return new_person(local, "cleo")


@pytest.fixture
def put(local: LocalSite) -> Put:
    """Puts one `ask` rule with these lines in force."""

    def put_rule(*lines: str) -> None:
        Policies(local.services.store).set(rule("ask", *lines), by=BY)

    return put_rule


@pytest.fixture
def narrowable(local: LocalSite) -> None:
    """The amount of a payment may be narrowed."""
    rules = {"narrow": {"/amount": "lower"}, "amount": "/amount"}
    local.admin.actions.update(json.dumps({**PAYMENT, **rules}), by=BY)


@pytest.fixture
def finance(local: LocalSite, bob: LocalTerminal, cleo: LocalTerminal) -> Groups:
    """A group of Bob and Cleo."""
    groups = Groups(local.services.store, local.services.secrets)
    groups.add("finance", [bob.user.name, cleo.user.name], by=BY)
    return groups


def _ask_two_of_three(put: Put) -> None:
    put(TWO, 'ask.who = ["ana", "bob", "cleo"]')


def _vote_tally(person: LocalTerminal, approval: Approval) -> dict[str, Any]:
    tally: dict[str, Any] = person.show(approval.id)["vote_tally"]
    return tally


def _pending_ids(person: LocalTerminal) -> list[str]:
    return [item["id"] for item in person.call("GET", "/api/approvals").json["items"]]


def _events(local: LocalSite, person: LocalTerminal) -> list[str]:
    return [event for event in local.admin.events(person.user) if event.startswith("approval.")]


def _propose_narrowing(person: LocalTerminal, approval: Approval, amount: str) -> dict[str, str]:
    path = f"/api/approvals/{approval.id}/narrowing"
    answer = person.call("POST", path, {"changes": [{"fact": "/amount", "to": amount}]})
    assert answer.status == 200, answer.body
    narrowing: dict[str, str] = answer.json
    return narrowing


def test_a_critical_request_needs_two_people(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal
) -> None:
    """By default they are the user of the request and an owner or an administrator."""
    boss = new_person(local, "boss")
    local.admin.users.update("boss", UserChanges(roles=("admin",)), by=BY)
    raised = ResourceChanges(scopes={"payments:transfer": Risk.CRITICAL})
    local.admin.resources.update(PAY, raised, by=BY)
    handle, approval = agent.request_payment()
    local.clock.forward(6_000)
    first = agent.poll(handle)
    assert boss.approve(approval.id).json["state"] == "pending"
    local.clock.forward(6_000)
    second = agent.poll(handle)
    assert person.approve(approval.id).json["state"] == "approved"
    token = agent.poll(handle)

    assert (approval.quorum, approval.risk) == (2, Risk.CRITICAL)
    assert first.json["approvals"] == "0/2"
    assert (second.json["error"], second.json["approvals"]) == ("authorization_pending", "1/2")
    assert token.status == 200
    (entry,) = local.admin.entries("approval.approved")
    assert entry["facts"]["yes"] == [boss.user.id, person.user.id]
    assert "self_approved" not in entry["facts"]
    (voted,) = local.admin.entries("approval.voted")
    assert (voted["actor"], voted["decision"]) == (f"user:{boss.user.id}", "pending")


@pytest.mark.usefixtures("finance")
def test_every_approver_sees_the_request_and_its_votes(
    local: LocalSite,
    agent: LocalAgent,
    person: LocalTerminal,
    put: Put,
    bob: LocalTerminal,
    cleo: LocalTerminal,
) -> None:
    """The view shows who has approved and who still can; a group is shown by its name."""
    put(TWO, 'ask.who = ["ana", "finance"]')
    _, approval = agent.request_approval()
    before = _vote_tally(cleo, approval)
    bob.approve(approval.id)
    after = _vote_tally(person, approval)

    assert (before["need"], before["have"], before["left"]) == (2, 0, ["ana", "finance"])
    assert (after["have"], after["left"]) == (1, ["ana", "finance"])
    assert [
        (answer["by"]["name"], answer["decision"], answer["counts"]) for answer in after["answers"]
    ] == [("bob", "approve", True)]
    assert _pending_ids(person) == _pending_ids(bob) == _pending_ids(cleo) == [approval.id]
    cleo.approve(approval.id)
    assert _pending_ids(person) == _pending_ids(bob) == _pending_ids(cleo) == []
    events = ["approval.requested", "approval.voted", "approval.decided"]
    assert _events(local, person) == _events(local, bob) == _events(local, cleo) == events


def test_a_token_approved_by_others_names_them(
    agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal, put: Put, local: LocalSite
) -> None:
    """The token does not claim that its user authenticated."""
    put('ask.who = ["bob"]')
    handle, approval = agent.request_approval()
    refused = person.approve(approval.id)
    bob.approve(approval.id)
    claims = local.claims(agent.poll(handle).json["access_token"])

    assert refused.refusal == (403, "not_eligible")
    assert claims["sub"] == person.user.id
    assert claims["approval"]["decided_by"] == {"users": [bob.user.id]}
    assert not {"acr", "amr", "auth_time"} & set(claims)


def test_two_devices_of_one_person_have_one_vote(
    agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal, put: Put
) -> None:
    """Repeating the same vote is accepted and does not count twice."""
    put(TWO, 'ask.who = ["ana", "bob"]')
    desktop = another_device(person)
    _, approval = agent.request_approval()
    person.approve(approval.id)
    again = person.approve(approval.id)
    other = desktop.approve(approval.id)
    taken_back = person.deny(approval.id)

    assert (again.status, again.json["state"]) == (200, "pending")
    assert other.refusal == taken_back.refusal == (409, "already_voted")
    assert other.json["approval"]["vote_tally"]["have"] == 1
    assert bob.approve(approval.id).json["state"] == "approved"


def test_any_denial_ends_the_request(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal, put: Put
) -> None:
    """One denial ends the request even if another person has approved it."""
    put(TWO, 'ask.who = ["ana", "bob"]')
    new_person(local, "dan")
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    denied = bob.deny(approval.id, note="Not this month.")
    polled = agent.poll(handle)

    assert denied.json["state"] == "denied"
    assert (polled.json["error"], polled.json["note"]) == ("access_denied", "Not this month.")
    assert denied.json["vote_tally"]["have"] == 1


def test_a_vote_after_the_decision_has_no_effect(
    agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal, cleo: LocalTerminal, put: Put
) -> None:
    """A late vote gets 409 with the current request."""
    _ask_two_of_three(put)
    _, approval = agent.request_approval()
    late = cleo.decision(approval.id)
    person.approve(approval.id)
    bob.approve(approval.id)
    refused = cleo.send_decision(approval.id, late)

    assert refused.refusal == (409, "no_effect")
    assert refused.json["approval"]["state"] == "approved"
    assert refused.json["detail"] == "Your vote no longer changes the result."


def test_a_person_who_approved_can_still_report(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal, put: Put
) -> None:
    """A report withdraws the request and quarantines the agent."""
    put(TWO, 'ask.who = ["ana", "bob"]')
    _, approval = agent.request_approval()
    person.approve(approval.id)
    members = {"decision": "deny", "code": "suspicious", "ceremony": "none"}
    signed = person.decision(approval.id, person.session, **members)
    path = f"/api/approvals/{approval.id}/report"
    answer = person.call("POST", path, {"decision": signed, "scope": "agent"})

    assert answer.status == 200, answer.body
    assert local.stored_approval(approval.id).state is State.CANCELLED
    assert bob.approve(approval.id).refusal == (409, "not_pending")


@pytest.mark.usefixtures("narrowable")
def test_a_narrowed_vote_voids_earlier_votes(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal, put: Put
) -> None:
    """Votes count together only for the same text, which the token contains."""
    put(TWO, 'ask.who = ["ana", "bob"]')
    handle, approval = agent.request_payment()
    person.approve(approval.id)
    narrowing = _propose_narrowing(bob, approval, "20.00")
    narrowed = _approve_narrowed(bob, approval, narrowing)
    more = person.approve(approval.id)
    shown = person.show(approval.id)
    agreed = _approve_narrowed(person, approval, narrowing)
    token = agent.poll(handle)

    assert (narrowed.json["state"], narrowed.json["vote_tally"]["have"]) == ("pending", 1)
    assert more.refusal == (409, "narrowed_meanwhile")
    assert {
        answer["by"]["name"]: answer["counts"] for answer in shown["vote_tally"]["answers"]
    } == {
        "ana": False,
        "bob": True,
    }
    assert shown["granted"]["text"] == narrowing["text"]
    assert agreed.json["state"] == "approved"
    assert token.json["narrowed"] is True
    assert token.json["authorization_details"][0]["amount"]["minor"] == 2_000
    assert local.admin.entries("approval.voted")[-1]["facts"]["void"] == [person.user.id]


@pytest.mark.usefixtures("narrowable")
def test_a_vote_for_more_than_the_narrowed_text_is_refused(
    agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal, cleo: LocalTerminal, put: Put
) -> None:
    """A vote that narrows further voids the earlier votes again."""
    _ask_two_of_three(put)
    _, approval = agent.request_payment()
    texts = {
        amount: _propose_narrowing(bob, approval, amount) for amount in ("30.00", "20.00", "10.00")
    }
    _approve_narrowed(bob, approval, texts["20.00"])
    more = _approve_narrowed(cleo, approval, texts["30.00"])
    narrower = _approve_narrowed(person, approval, texts["10.00"])
    late = _approve_narrowed(cleo, approval, texts["20.00"])
    settled = _approve_narrowed(bob, approval, texts["10.00"])

    assert more.refusal == late.refusal == (409, "narrowed_meanwhile")
    assert narrower.json["vote_tally"]["have"] == 1
    assert settled.json["state"] == "approved"
    assert settled.json["granted"]["text"] == texts["10.00"]["text"]


def _approve_narrowed(person: LocalTerminal, approval: Approval, narrowing: dict[str, str]) -> Any:
    person.pin(approval.id)
    terms = {"granted": narrowing["digest"], "ceremony": "pin"}
    jws = person.decision(approval.id, person.high, **terms)
    return person.send_decision(approval.id, jws, granted=narrowing["text"])


@pytest.mark.parametrize("party", ["user", "owner"])
def test_an_excluded_person_sees_the_request_and_can_only_deny_it(
    local: LocalSite,
    agent: LocalAgent,
    person: LocalTerminal,
    bob: LocalTerminal,
    put: Put,
    party: str,
) -> None:
    """The API refuses the approval of an excluded person."""
    put(TWO, f'ask.exclude = ["{party}"]')
    local.admin.users.update("bob", UserChanges(roles=("admin",)), by=BY)
    _, approval = agent.request_approval()
    votes_left = _vote_tally(person, approval)["left"]
    tried = person.approve(approval.id)

    assert votes_left == (["admin", "bob"] if party == "user" else ["ana", "bob"])
    assert tried.status == (403 if party == "user" else 200)
    assert bob.deny(approval.id).status == 200


def test_a_person_who_left_the_group_does_not_count(
    local: LocalSite,
    agent: LocalAgent,
    finance: Groups,
    put: Put,
    bob: LocalTerminal,
    cleo: LocalTerminal,
) -> None:
    """Policy is evaluated again when the token is issued."""
    put(TWO, 'ask.who = ["finance"]')
    handle, approval = agent.request_approval()
    bob.approve(approval.id)
    cleo.approve(approval.id)
    finance.update("finance", GroupChanges(remove=("bob",)), by=BY)

    assert agent.poll(handle).json["error"] == "access_denied"
    assert local.stored_approval(approval.id).reason == "policy_changed"
    assert local.admin.entries("token.issued") == []


@pytest.mark.parametrize("people", ["nobody", "only 1 person"])
def test_a_request_with_too_few_eligible_approvers_is_refused(
    local: LocalSite, agent: LocalAgent, finance: Groups, put: Put, people: str
) -> None:
    """Nobody is asked, because disabled people do not count."""
    put(TWO, 'ask.who = ["finance"]')
    local.admin.users.disable("bob", by=BY)
    if people == "nobody":
        local.admin.users.disable("cleo", by=BY)
    refused = agent.ask()

    assert refused.refusal == (403, "access_denied")
    assert refused.json["reason"] == "too_few_people"
    assert f"2 approvals, but {people} can approve it" in refused.json["error_description"]
    assert finance.all()[0].name == "finance"


def test_a_critical_request_approved_by_the_user_alone_is_self_approved(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal, put: Put
) -> None:
    """Policy may let one person approve, which the audit log then marks."""
    raised = ResourceChanges(scopes={"payments:transfer": Risk.CRITICAL})
    local.admin.resources.update(PAY, raised, by=BY)
    put("ask.quorum = 1", 'ask.who = ["ana", "bob"]', 'when.risk.at_least = "critical"')
    for somebody in (person, bob):
        _, approval = agent.request_payment()
        assert somebody.approve(approval.id).json["state"] == "approved"
    facts = [entry["facts"] for entry in local.admin.entries("approval.approved")]

    assert [fact.get("self_approved") for fact in facts] == [True, None]


def test_a_pending_poll_for_one_approver_has_no_vote_count(
    agent: LocalAgent, person: LocalTerminal
) -> None:
    """The approver's view shows no vote count either."""
    handle, approval = agent.request_approval()
    assert "approvals" not in agent.poll(handle).json
    assert person.show(approval.id)["vote_tally"] is None
    assert json.loads(approval.display)["headline"]

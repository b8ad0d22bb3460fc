"""A quorum of other people is not enough if policy requires someone in particular."""

import json
from collections.abc import Callable

import pytest

from server.audit_log.meaning import Meaning
from server.model.approvals import Approval
from server.protocol.policy.risks import Risk
from server.services.approvers.groups import GroupChanges, Groups
from server.services.clients.agent_forms import AgentChanges
from server.services.policy.policies import Policies
from server.services.resources.resources import ResourceChanges
from server.services.users.users import UserChanges
from tests.support.builders.callers import LocalAgent, LocalTerminal, new_person
from tests.support.builders.installation import BY, PAY
from tests.support.builders.policies import rule
from tests.support.builders.site import LocalSite


@pytest.fixture
def bob(local: LocalSite) -> LocalTerminal:
    """An administrator with a device."""
    return _new_administrator(local, "bob")


@pytest.fixture
def cleo(local: LocalSite) -> LocalTerminal:
    """Another administrator with a device."""
    return _new_administrator(local, "cleo")


@pytest.fixture
def critical(local: LocalSite) -> None:
    """A payment is critical."""
    raised = ResourceChanges(scopes={"payments:transfer": Risk.CRITICAL})
    local.admin.resources.update(PAY, raised, by=BY)


@pytest.fixture
def finance(local: LocalSite, bob: LocalTerminal, cleo: LocalTerminal) -> Callable[[int], Groups]:
    """Makes a group of Bob, Cleo and Ana, and a rule that requires some of them."""

    def make(quorum: int) -> Groups:
        groups = Groups(local.services.store, local.services.secrets)
        groups.add("finance", [bob.user.name, cleo.user.name, "ana"], by=BY)
        lines = rule("ask", f"ask.quorum = {quorum}", 'ask.who = ["finance"]')
        Policies(local.services.store).set(lines, by=BY)
        return groups

    return make


def _new_administrator(local: LocalSite, name: str) -> LocalTerminal:
    person = new_person(local, name)
    local.admin.users.update(name, UserChanges(roles=("admin",)), by=BY)
    return person


def _check_log(local: LocalSite) -> None:
    """Check that the entries obey the rules of the audit log."""
    meaning = Meaning()
    with local.services.store.read() as view:
        for entry in view.audit.tail(500):
            meaning.check(json.loads(entry.body))
    assert meaning.signatures == 3


def _tally(person: LocalTerminal, approval: Approval) -> tuple[int, int, list[str]]:
    tally = person.show(approval.id)["vote_tally"]
    return tally["have"], tally["need"], tally["left"]


@pytest.mark.usefixtures("critical")
def test_two_others_do_not_approve_without_the_user(
    local: LocalSite,
    agent: LocalAgent,
    person: LocalTerminal,
    bob: LocalTerminal,
    cleo: LocalTerminal,
) -> None:
    """The request stays pending until the user approves it, and then the agent gets its token."""
    handle, approval = agent.request_payment()
    assert bob.approve(approval.id).json["state"] == "pending"
    assert _tally(person, approval) == (1, 2, ["ana"])
    assert cleo.approve(approval.id).json["state"] == "pending"
    pending = agent.poll(handle)
    assert _tally(person, approval) == (1, 2, ["ana"])
    assert person.approve(approval.id).json["state"] == "approved"
    local.clock.forward(6_000)

    assert (pending.json["error"], pending.json["approvals"]) == ("authorization_pending", "1/2")
    assert agent.poll(handle).status == 200
    assert _tally(person, approval)[:2] == (2, 2)


def test_the_vote_of_a_person_who_left_the_group_does_not_complete_the_quorum(
    agent: LocalAgent,
    person: LocalTerminal,
    bob: LocalTerminal,
    cleo: LocalTerminal,
    finance: Callable[[int], Groups],
) -> None:
    """Another member of the group can still approve, and the agent gets its token."""
    groups = finance(2)
    handle, approval = agent.request_approval()
    assert bob.approve(approval.id).json["state"] == "pending"
    assert _tally(cleo, approval)[0] == 1
    groups.update("finance", GroupChanges(remove=("bob",)), by=BY)
    assert _tally(cleo, approval)[0] == 0
    assert cleo.approve(approval.id).json["state"] == "pending"
    assert _tally(cleo, approval) == (1, 2, ["finance"])
    assert person.approve(approval.id).json["state"] == "approved"

    assert agent.poll(handle).status == 200


@pytest.mark.parametrize("quorum", [1, 2])
def test_a_person_who_left_the_group_cannot_approve(
    agent: LocalAgent,
    bob: LocalTerminal,
    cleo: LocalTerminal,
    finance: Callable[[int], Groups],
    quorum: int,
) -> None:
    """Their approval is refused, and does not end the request."""
    groups = finance(quorum)
    _, approval = agent.request_approval()
    groups.update("finance", GroupChanges(remove=("bob",)), by=BY)

    assert bob.approve(approval.id).refusal == (403, "not_eligible")
    assert _tally(cleo, approval)[0] == 0
    assert cleo.approve(approval.id).json["state"] == ("approved" if quorum == 1 else "pending")
    assert bob.deny(approval.id).status == (409 if quorum == 1 else 200)


def test_the_vote_of_a_disabled_person_does_not_complete_the_quorum(
    local: LocalSite,
    agent: LocalAgent,
    person: LocalTerminal,
    bob: LocalTerminal,
    cleo: LocalTerminal,
    finance: Callable[[int], Groups],
) -> None:
    """Two others can still approve. Receipts, the audit log and its verifier agree."""
    finance(2)
    handle, approval = agent.request_approval()
    assert bob.approve(approval.id).json["state"] == "pending"
    local.admin.users.disable("bob", by=BY)
    assert _tally(person, approval) == (0, 2, ["finance"])
    assert cleo.approve(approval.id).json["state"] == "pending"
    local.admin.users.enable("bob", by=BY)
    assert _tally(person, approval) == (1, 2, ["finance"])
    assert person.approve(approval.id).json["state"] == "approved"
    (entry,) = local.admin.entries("approval.approved")
    _check_log(local)
    receipt = person.call("GET", f"/api/approvals/{approval.id}/receipt").json

    assert sorted(entry["facts"]["yes"]) == sorted([cleo.user.id, person.user.id])
    assert entry["facts"]["void"] == [bob.user.id]
    assert {answer["by"]["name"]: answer["counts"] for answer in receipt["answers"]} == {
        "bob": False,
        "cleo": True,
        "ana": True,
    }
    assert agent.poll(handle).status == 200


@pytest.mark.parametrize("voted", [True, False])
def test_a_request_ends_if_too_few_enabled_people_can_approve_it(
    local: LocalSite,
    agent: LocalAgent,
    bob: LocalTerminal,
    cleo: LocalTerminal,
    finance: Callable[[int], Groups],
    voted: bool,  # noqa: FBT001  # pytest passes it by name
) -> None:
    """The next answer ends it, whether or not the disabled person has voted."""
    finance(3)
    _, approval = agent.request_approval()
    if voted:
        assert bob.approve(approval.id).json["state"] == "pending"
    local.admin.users.disable("bob", by=BY)
    refused = cleo.approve(approval.id)

    assert (refused.status, refused.json["approval"]["state"]) == (409, "cancelled")
    (entry,) = local.admin.entries("approval.cancelled")
    assert entry["cause"] == "policy_changed"


@pytest.mark.parametrize("quorum", [1, 2])
def test_disabling_an_approver_prevents_the_redemption(
    local: LocalSite,
    agent: LocalAgent,
    bob: LocalTerminal,
    cleo: LocalTerminal,
    finance: Callable[[int], Groups],
    quorum: int,
) -> None:
    """The request was approved, and the agent gets no token for it, even for another approver."""
    finance(quorum)
    handle, approval = agent.request_approval()
    approvers = (bob, cleo)[:quorum]
    states = [person.approve(approval.id).json["state"] for person in approvers]
    assert states[-1] == "approved"
    local.admin.users.disable("bob", by=BY)

    assert agent.poll(handle).json["error"] == "access_denied"
    assert local.admin.entries("token.issued") == []
    (entry,) = local.admin.entries("approval.cancelled")
    assert entry["cause"] == "policy_changed"


def test_disabling_someone_who_did_not_approve_allows_the_redemption(
    local: LocalSite,
    agent: LocalAgent,
    bob: LocalTerminal,
    finance: Callable[[int], Groups],
) -> None:
    """Only the approvers whose approval counts must still be enabled."""
    finance(1)
    handle, approval = agent.request_approval()
    assert bob.approve(approval.id).json["state"] == "approved"
    local.admin.users.disable("cleo", by=BY)

    assert agent.poll(handle).status == 200


def _remove_role(local: LocalSite, name: str) -> None:
    local.admin.users.update(name, UserChanges(roles=()), by=BY)


@pytest.mark.usefixtures("critical", "cleo")
def test_an_approval_given_as_an_administrator_ends_with_the_role(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal
) -> None:
    """The agent gets no token if the role was removed after the approval."""
    handle, approval = agent.request_payment()
    assert bob.approve(approval.id).json["state"] == "pending"
    assert person.approve(approval.id).json["state"] == "approved"
    _remove_role(local, "bob")

    assert agent.poll(handle).json["error"] == "access_denied"
    assert local.admin.entries("token.issued") == []


@pytest.mark.usefixtures("critical")
def test_an_approval_given_as_an_administrator_does_not_complete_the_quorum_without_the_role(
    local: LocalSite,
    agent: LocalAgent,
    person: LocalTerminal,
    bob: LocalTerminal,
    cleo: LocalTerminal,
) -> None:
    """Another administrator can still approve. The former one has no part in the decision."""
    handle, approval = agent.request_payment()
    assert bob.approve(approval.id).json["state"] == "pending"
    _remove_role(local, "bob")
    assert _tally(person, approval) == (0, 2, ["admin", "ana", "cleo"])
    (answer,) = person.show(approval.id)["vote_tally"]["answers"]
    assert not answer["counts"]
    assert person.approve(approval.id).json["state"] == "pending"
    assert cleo.approve(approval.id).json["state"] == "approved"

    (entry,) = local.admin.entries("approval.approved")
    assert sorted(entry["facts"]["yes"]) == sorted([person.user.id, cleo.user.id])
    assert entry["facts"]["void"] == [bob.user.id]
    assert agent.poll(handle).status == 200


@pytest.mark.usefixtures("critical", "cleo")
def test_a_former_administrator_cannot_approve(
    local: LocalSite, agent: LocalAgent, bob: LocalTerminal
) -> None:
    """Their approval is refused; they can still deny the request."""
    _, approval = agent.request_payment()
    _remove_role(local, "bob")

    assert bob.approve(approval.id).refusal == (403, "not_eligible")
    assert bob.deny(approval.id).status == 200


@pytest.mark.usefixtures("critical")
def test_an_owner_who_is_no_longer_an_administrator_still_approves(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal
) -> None:
    """The owners of an agent are eligible as well as the administrators."""
    handle, approval = agent.request_payment()
    local.admin.agents.update("invoice-bot", AgentChanges(add_owners=("bob",)), by=BY)
    _remove_role(local, "bob")
    assert bob.approve(approval.id).json["state"] == "pending"
    assert person.approve(approval.id).json["state"] == "approved"

    assert agent.poll(handle).status == 200


@pytest.mark.usefixtures("critical")
def test_a_former_administrator_is_not_listed_as_a_missing_approver(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal
) -> None:
    """The tally names only the people whose approval would count."""
    _, approval = agent.request_payment()
    assert _tally(person, approval) == (0, 2, ["admin", "ana", "bob"])
    _remove_role(local, bob.user.name)

    assert _tally(person, approval) == (0, 2, ["admin", "ana"])

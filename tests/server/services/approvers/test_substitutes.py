"""A substitute casts the vote of the person they act for, and never a second vote."""

from collections.abc import Callable

import pytest

from server.protocol.policy.risks import Risk
from server.services.policy.policies import Policies
from server.services.resources.resources import ResourceChanges
from server.services.users.users import UserChanges
from tests.support.builders.callers import LocalAgent, LocalTerminal, new_person
from tests.support.builders.clock import SECOND
from tests.support.builders.installation import BY, PAY
from tests.support.builders.policies import rule
from tests.support.builders.site import LocalSite

Put = Callable[..., None]


@pytest.fixture
def bob(local: LocalSite) -> LocalTerminal:
    """Ana's backup, with a device."""
    terminal = new_person(local, "bob")
    local.admin.users.update("ana", UserChanges(backup="bob"), by=BY)
    return terminal


@pytest.fixture
def boss(local: LocalSite) -> LocalTerminal:
    """An administrator, with a device."""
    terminal = new_person(local, "boss")
    local.admin.users.update("boss", UserChanges(roles=("admin",)), by=BY)
    return terminal


@pytest.fixture
def critical(local: LocalSite) -> None:
    """Payments need two people, and the backup is asked immediately."""
    raised = ResourceChanges(scopes={"payments:transfer": Risk.CRITICAL})
    local.admin.resources.update(PAY, raised, by=BY)


@pytest.fixture
def put(local: LocalSite) -> Put:
    """Puts one `ask` rule with these lines in force."""

    def put_rule(*lines: str) -> None:
        Policies(local.services.store).set(rule("ask", *lines), by=BY)

    return put_rule


def _to_three_quarters(local: LocalSite, *people: LocalTerminal) -> None:
    """Move the clock to three quarters of 400 seconds, when a backup is asked."""
    for seconds in (200, 100):
        local.clock.forward(seconds * SECOND)
        for person in people:
            person.refresh()
        local.services.escalations.round()


@pytest.mark.usefixtures("critical")
@pytest.mark.parametrize("backup_first", [True, False])
def test_a_person_and_their_backup_share_one_vote(
    local: LocalSite,
    agent: LocalAgent,
    person: LocalTerminal,
    bob: LocalTerminal,
    boss: LocalTerminal,
    *,
    backup_first: bool,
) -> None:
    """The second of the two is refused; another person's approval makes two votes."""
    handle, approval = agent.request_payment()
    first, second = (bob, person) if backup_first else (person, bob)
    assert first.approve(approval.id).json["state"] == "pending"
    refused = second.approve(approval.id)
    assert refused.refusal == (409, "already_voted")
    assert "share one vote" in refused.json["detail"]
    vote_tally = second.show(approval.id)["vote_tally"]
    assert vote_tally["have"] == 1
    assert vote_tally["left"] == ["admin", "boss"]
    local.clock.forward(6 * SECOND)
    assert agent.poll(handle).json["approvals"] == "1/2"
    assert boss.approve(approval.id).json["state"] == "approved"
    local.clock.forward(6 * SECOND)
    assert agent.poll(handle).status == 200


@pytest.mark.usefixtures("critical")
def test_a_denial_ends_the_request_after_the_backup_approved(
    agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal
) -> None:
    """A person may deny what their backup has approved."""
    handle, approval = agent.request_payment()
    bob.approve(approval.id)
    assert person.deny(approval.id).json["state"] == "denied"
    assert agent.poll(handle).json["reason"] == "denied"


@pytest.mark.parametrize(
    "lines",
    [('ask.exclude = ["user"]',), ('ask.who = ["boss"]',)],
    ids=["excluded", "not named"],
)
def test_the_backup_of_a_person_without_a_vote_can_only_deny(
    local: LocalSite,
    agent: LocalAgent,
    bob: LocalTerminal,
    boss: LocalTerminal,
    put: Put,
    lines: tuple[str, ...],
) -> None:
    """The backup is asked and sees the request, but another person must approve it."""
    put(*lines)
    handle, approval = agent.request_approval(requested_expiry="400")
    _to_three_quarters(local, bob, boss)
    assert [item["id"] for item in bob.call("GET", "/api/approvals").json["items"]] == [approval.id]
    assert bob.approve(approval.id).refusal == (403, "not_eligible")
    assert boss.approve(approval.id).json["state"] == "approved"
    assert agent.poll(handle).status == 200


@pytest.mark.usefixtures("bob")
def test_a_backup_alone_can_approve_where_one_vote_is_enough(
    local: LocalSite, agent: LocalAgent, bob: LocalTerminal
) -> None:
    """The token names the backup, who decided."""
    handle, approval = agent.request_approval(requested_expiry="400")
    _to_three_quarters(local, bob)
    assert bob.approve(approval.id).json["state"] == "approved"
    answer = agent.poll(handle)
    assert answer.status == 200
    decided_by = local.claims(answer.json["access_token"])["approval"]["decided_by"]
    assert decided_by == {"users": [bob.user.id]}

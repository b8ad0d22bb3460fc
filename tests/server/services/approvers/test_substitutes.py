"""Whoever stands in for a person gives that person's yes: no more than it, and not beside it."""

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
    """Ana's backup, at his device."""
    made = new_person(local, "bob")
    local.desk.users.update("ana", UserChanges(backup="bob"), by=BY)
    return made


@pytest.fixture
def boss(local: LocalSite) -> LocalTerminal:
    """An administrator, at a device."""
    made = new_person(local, "boss")
    local.desk.users.update("boss", UserChanges(roles=("admin",)), by=BY)
    return made


@pytest.fixture
def critical(local: LocalSite) -> None:
    """Payments take two people, and the backup is asked at once."""
    raised = ResourceChanges(scopes={"payments:transfer": Risk.CRITICAL})
    local.desk.resources.update(PAY, raised, by=BY)


@pytest.fixture
def put(local: LocalSite) -> Put:
    """Puts one rule that asks in force, with these lines."""

    def put_rule(*lines: str) -> None:
        Policies(local.services.store).set(rule("ask", *lines), by=BY)

    return put_rule


def _to_three_quarters(local: LocalSite, *people: LocalTerminal) -> None:
    """Of 400 seconds, when a backup is asked."""
    for seconds in (200, 100):
        local.clock.forward(seconds * SECOND)
        for one in people:
            one.refresh()
        local.services.escalations.round()


@pytest.mark.usefixtures("critical")
@pytest.mark.parametrize("backup_first", [True, False])
def test_a_person_and_their_backup_have_one_yes_together(
    local: LocalSite,
    agent: LocalAgent,
    person: LocalTerminal,
    bob: LocalTerminal,
    boss: LocalTerminal,
    *,
    backup_first: bool,
) -> None:
    """The second of the two is told so; a third person's yes makes it two, and the token comes."""
    handle, approval = agent.asked_payment()
    first, second = (bob, person) if backup_first else (person, bob)
    assert first.approve(approval.id).json["state"] == "pending"
    refused = second.approve(approval.id)
    assert refused.refusal == (409, "already_voted")
    assert "share one vote" in refused.json["detail"]
    together = second.show(approval.id)["together"]
    assert together["have"] == 1
    assert together["left"] == ["admin", "boss"]
    local.clock.forward(6 * SECOND)
    assert agent.poll(handle).json["approvals"] == "1/2"
    assert boss.approve(approval.id).json["state"] == "approved"
    local.clock.forward(6 * SECOND)
    assert agent.poll(handle).status == 200


@pytest.mark.usefixtures("critical")
def test_a_no_ends_it_whatever_the_backup_said(
    agent: LocalAgent, person: LocalTerminal, bob: LocalTerminal
) -> None:
    """Nobody is bound by who stands in for them."""
    handle, approval = agent.asked_payment()
    bob.approve(approval.id)
    assert person.deny(approval.id).json["state"] == "denied"
    assert agent.poll(handle).json["reason"] == "denied"


@pytest.mark.parametrize(
    "lines",
    [('ask.exclude = ["user"]',), ('ask.who = ["boss"]',)],
    ids=["excluded", "not named"],
)
def test_whose_yes_does_not_count_lends_none(
    local: LocalSite,
    agent: LocalAgent,
    bob: LocalTerminal,
    boss: LocalTerminal,
    put: Put,
    lines: tuple[str, ...],
) -> None:
    """Their backup is asked, sees it and may deny it; the yes that counts is somebody else's."""
    put(*lines)
    handle, approval = agent.asked(requested_expiry="400")
    _to_three_quarters(local, bob, boss)
    assert [item["id"] for item in bob.call("GET", "/api/approvals").json["items"]] == [approval.id]
    assert bob.approve(approval.id).refusal == (403, "not_eligible")
    assert boss.approve(approval.id).json["state"] == "approved"
    assert agent.poll(handle).status == 200


@pytest.mark.usefixtures("bob")
def test_a_backup_in_force_decides_what_the_person_could(
    local: LocalSite, agent: LocalAgent, bob: LocalTerminal
) -> None:
    """Alone, where one yes is enough; the token names who did."""
    handle, approval = agent.asked(requested_expiry="400")
    _to_three_quarters(local, bob)
    assert bob.approve(approval.id).json["state"] == "approved"
    answer = agent.poll(handle)
    assert answer.status == 200
    said = local.claims(answer.json["access_token"])["approval"]["decided_by"]
    assert said == {"users": [bob.user.id]}

"""What people reported is listed, shown and closed; closing lifts nothing."""

from collections.abc import Callable

import pytest

from server.services.incidents.incidents import Incidents
from server.services.refusals import Conflict, Invalid, NotFound
from server.services.users.users import UserChanges
from tests.support.builders.callers import LocalAgent, LocalTerminal
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY
from tests.support.builders.site import LocalSite

Reported = Callable[[], str]


@pytest.fixture
def incidents(local: LocalSite) -> Incidents:
    """As an administrator has them."""
    return local.site.incidents.incidents


@pytest.fixture
def reported(agent: LocalAgent, person: LocalTerminal, local: LocalSite) -> Reported:
    """Make a report; its incident's id."""

    def report() -> str:
        local.desk.agents.enable(agent.id, by=BY)
        _, approval = agent.asked()
        said = {"decision": "deny", "code": "suspicious", "ceremony": "none"}
        jws = person.decision(approval.id, person.session, **said)
        path = f"/api/approvals/{approval.id}/report"
        incident: str = person.call("POST", path, {"decision": jws}).json["incident"]
        local.clock.forward(MINUTE)
        return incident

    return report


def test_open_ones_are_listed_with_the_newest_first(
    incidents: Incidents, reported: Reported
) -> None:
    """Closed ones only when they are wanted; a part goes on where the last one ended."""
    first, second, third = reported(), reported(), reported()
    incidents.close(second, None, by=BY)
    assert [told.incident.id for told in incidents.search()] == [third, first]
    every = incidents.search(closed=True)
    assert [told.incident.id for told in every] == [third, second, first]
    before = (every[0].incident.opened_at, every[0].incident.id)
    (rest,) = incidents.search(limit=1, before=before)
    assert rest.incident.id == first


def test_one_says_who_reported_it_and_how_its_agents_stand_now(
    incidents: Incidents, reported: Reported, agent: LocalAgent, local: LocalSite
) -> None:
    """What was written down stays; the state of an agent is that of today."""
    told = incidents.show(reported())
    assert (told.user_name, told.states) == ("ana", {agent.id: "quarantined"})
    local.desk.agents.enable(agent.id, by=BY)
    told = incidents.show(told.incident.id)
    assert told.states == {agent.id: "enabled"}
    assert told.evidence["agents"][0]["state"] == "quarantined"
    local.desk.agents.delete(agent.id, by=BY)
    assert incidents.show(told.incident.id).states == {agent.id: "deleted"}


def test_closing_one_says_who_did_it_and_lifts_nothing(
    incidents: Incidents, reported: Reported, agent: LocalAgent, local: LocalSite
) -> None:
    """Once, with an entry; the agent stays stopped."""
    incident = reported()
    closed = incidents.close(incident, "A test of ours", by=BY).incident
    assert (closed.state, closed.closed_by, closed.closing_note) == ("closed", BY, "A test of ours")
    assert closed.closed_at == local.clock.now()
    assert local.desk.agents.show(agent.id)[0].state == "quarantined"
    (entry,) = local.desk.entries("incident.closed")
    assert entry["facts"] == {"incident": incident, "note": "A test of ours"}
    with pytest.raises(Conflict, match="already closed"):
        incidents.close(incident, None, by=BY)


@pytest.mark.parametrize("note", ["x" * 501, "a\u202eb"])
def test_a_closing_note_is_short_and_readable(
    incidents: Incidents, reported: Reported, note: str
) -> None:
    """Else nothing is closed."""
    incident = reported()
    with pytest.raises(Invalid):
        incidents.close(incident, note, by=BY)
    assert incidents.show(incident).incident.state == "open"


def test_one_that_is_not_there_is_named(incidents: Incidents) -> None:
    """With its ID."""
    with pytest.raises(NotFound, match="no incident sayso_ic_none"):
        incidents.show("sayso_ic_none")
    with pytest.raises(NotFound):
        incidents.close("sayso_ic_none", None, by=BY)


def test_a_list_is_asked_for_properly(person: LocalTerminal, local: LocalSite) -> None:
    """`closed` is a word of two."""
    local.desk.users.update("ana", UserChanges(roles=("admin",)), by=BY)
    answer = person.call("GET", "/api/incidents", query={"closed": "perhaps"})
    assert answer.refusal == (422, "invalid_body")


def test_an_owner_sees_what_is_about_their_agents_and_no_more(
    incidents: Incidents, reported: Reported, agent: LocalAgent, local: LocalSite
) -> None:
    """Of the agents that a report stopped, their own; who owns none of them sees nothing."""
    first, second = reported(), reported()
    owner = local.desk.agents.show(agent.id)[0].owners[0]
    told = incidents.search(owner=owner)
    assert [one.incident.id for one in told] == [second, first]
    assert [one["id"] for one in told[0].evidence["agents"]] == [agent.id]
    assert [one.incident.id for one in incidents.search(owner=owner, limit=1)] == [second]
    assert incidents.show(first, owner).states == {agent.id: "quarantined"}
    assert incidents.search(owner="sayso_us_other") == []
    with pytest.raises(NotFound):
        incidents.show(first, "sayso_us_other")
    local.desk.agents.delete(agent.id, by=BY)
    assert incidents.show(first, owner).states == {agent.id: "deleted"}

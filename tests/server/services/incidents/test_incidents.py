"""Incidents can be listed, shown and closed; closing an incident releases no agent."""

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
    """The service that administrators use."""
    return local.site.incidents.incidents


@pytest.fixture
def reported(agent: LocalAgent, person: LocalTerminal, local: LocalSite) -> Reported:
    """Makes a report and returns the ID of its incident."""

    def report() -> str:
        local.admin.agents.enable(agent.id, by=BY)
        _, approval = agent.request_approval()
        members = {"decision": "deny", "code": "suspicious", "ceremony": "none"}
        jws = person.decision(approval.id, person.session, **members)
        path = f"/api/approvals/{approval.id}/report"
        incident: str = person.call("POST", path, {"decision": jws}).json["incident"]
        local.clock.forward(MINUTE)
        return incident

    return report


def test_open_incidents_are_listed_newest_first(incidents: Incidents, reported: Reported) -> None:
    """Closed incidents are listed on request, and a page continues where the last page ended."""
    first, second, third = reported(), reported(), reported()
    incidents.close(second, None, by=BY)
    assert [shown.incident.id for shown in incidents.search()] == [third, first]
    all_incidents = incidents.search(closed=True)
    assert [shown.incident.id for shown in all_incidents] == [third, second, first]
    before = (all_incidents[0].incident.opened_at, all_incidents[0].incident.id)
    (rest,) = incidents.search(limit=1, before=before)
    assert rest.incident.id == first


def test_an_incident_shows_its_reporter_and_the_current_state_of_its_agents(
    incidents: Incidents, reported: Reported, agent: LocalAgent, local: LocalSite
) -> None:
    """The states are current, but the stored evidence does not change."""
    shown = incidents.show(reported())
    assert (shown.user_name, shown.states) == ("ana", {agent.id: "quarantined"})
    local.admin.agents.enable(agent.id, by=BY)
    shown = incidents.show(shown.incident.id)
    assert shown.states == {agent.id: "enabled"}
    assert shown.evidence["agents"][0]["state"] == "quarantined"
    local.admin.agents.delete(agent.id, by=BY)
    assert incidents.show(shown.incident.id).states == {agent.id: "deleted"}


def test_closing_an_incident_records_the_actor_and_releases_no_agent(
    incidents: Incidents, reported: Reported, agent: LocalAgent, local: LocalSite
) -> None:
    """An incident can be closed once, which writes an audit entry; the agent stays quarantined."""
    incident = reported()
    closed = incidents.close(incident, "A test of ours", by=BY).incident
    assert (closed.state, closed.closed_by, closed.closing_note) == ("closed", BY, "A test of ours")
    assert closed.closed_at == local.clock.now()
    assert local.admin.agents.show(agent.id)[0].state == "quarantined"
    (entry,) = local.admin.entries("incident.closed")
    assert entry["facts"] == {"incident": incident, "note": "A test of ours"}
    with pytest.raises(Conflict, match="already closed"):
        incidents.close(incident, None, by=BY)


@pytest.mark.parametrize("note", ["x" * 501, "a\u202eb"])
def test_a_closing_note_must_be_short_and_displayable(
    incidents: Incidents, reported: Reported, note: str
) -> None:
    """An invalid note is refused, and the incident stays open."""
    incident = reported()
    with pytest.raises(Invalid):
        incidents.close(incident, note, by=BY)
    assert incidents.show(incident).incident.state == "open"


def test_an_unknown_incident_is_not_found(incidents: Incidents) -> None:
    """The error contains the unknown ID."""
    with pytest.raises(NotFound, match="no incident sayso_ic_none"):
        incidents.show("sayso_ic_none")
    with pytest.raises(NotFound):
        incidents.close("sayso_ic_none", None, by=BY)


def test_an_invalid_closed_filter_is_refused(person: LocalTerminal, local: LocalSite) -> None:
    """`closed` must be true or false."""
    local.admin.users.update("ana", UserChanges(roles=("admin",)), by=BY)
    answer = person.call("GET", "/api/incidents", query={"closed": "perhaps"})
    assert answer.refusal == (422, "invalid_body")


def test_an_owner_sees_only_incidents_of_their_agents(
    incidents: Incidents, reported: Reported, agent: LocalAgent, local: LocalSite
) -> None:
    """The evidence that an owner sees contains only their own agents."""
    first, second = reported(), reported()
    owner = local.admin.agents.show(agent.id)[0].owners[0]
    views = incidents.search(owner=owner)
    assert [view.incident.id for view in views] == [second, first]
    assert [evidence["id"] for evidence in views[0].evidence["agents"]] == [agent.id]
    assert [view.incident.id for view in incidents.search(owner=owner, limit=1)] == [second]
    assert incidents.show(first, owner).states == {agent.id: "quarantined"}
    assert incidents.search(owner="sayso_us_other") == []
    with pytest.raises(NotFound):
        incidents.show(first, "sayso_us_other")
    local.admin.agents.delete(agent.id, by=BY)
    assert incidents.show(first, owner).states == {agent.id: "deleted"}

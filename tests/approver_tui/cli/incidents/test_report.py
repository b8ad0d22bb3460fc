"""A report from a shell takes the id, and no PIN."""

import pytest

from approver_tui.cli.exits import Exit


@pytest.mark.parametrize(
    ("arguments", "scope"), [((), "agent"), (("--every-agent",), "every_agent")]
)
def test_a_report_says_whom_it_stops(logged_in, server, arguments, scope):
    """The note goes to the administrators; what ended is told."""
    asked = server.add()
    command = ("report", asked["id"], *arguments, "--note", "Not me", "--json")
    document = logged_in(*command).document
    assert server.reports == [{"scope": scope, "note": "Not me"}]
    assert (document["schema"], document["scope"]) == ("sayso.report/1", scope)
    assert document["incident"] == "sayso_ic_aaaaaaaaaaaaaaaa"
    assert document["approval"]["state"] == "denied"
    (agent,) = document["agents"]
    assert (agent["state"], agent["tokens_revoked"]) == ("quarantined", 2)


def test_a_person_reads_what_came_of_it(logged_in, server):
    """In plain lines, with the incident to name to an administrator."""
    asked = server.add()
    out = logged_in("report", asked["id"]).out
    assert out.startswith("Reported. Denied: ")
    assert "is quarantined: 2 tokens and 1 other request ended." in out
    assert "incident sayso_ic_aaaaaaaaaaaaaaaa" in out


def test_a_report_that_stopped_nobody_says_so(logged_in, server):
    """A device asked, or an agent that is gone."""
    server.reported_agents = False
    asked = server.add()
    assert "none was quarantined" in logged_in("report", asked["id"]).out


def test_what_was_answered_already_can_be_reported(logged_in, server):
    """It stays what it was."""
    asked = server.add()
    server.decide_elsewhere(asked["id"], "approve")
    document = logged_in("report", asked["id"], "--json").document
    assert document["approval"]["state"] == "approved"


def test_a_long_note_is_a_usage_error(logged_in, server):
    """Nothing was sent."""
    asked = server.add()
    assert logged_in("report", asked["id"], "--note", "x" * 501).code == Exit.USAGE
    assert (asked["state"], server.reports) == ("pending", [])


def test_a_request_that_is_not_there_is_not_found(logged_in):
    """As for every other verb."""
    assert logged_in("report", "sayso_ap_none").code == Exit.NOT_FOUND

"""`report` requires the ID, and no PIN."""

import pytest

from approver_tui.cli.exits import Exit


@pytest.mark.parametrize(
    ("arguments", "scope"), [((), "agent"), (("--every-agent",), "every_agent")]
)
def test_a_report_quarantines_the_chosen_scope(logged_in, server, arguments, scope):
    """The note goes to the administrators, and the document lists what was revoked."""
    approval = server.add()
    command = ("report", approval["id"], *arguments, "--note", "Not me", "--json")
    document = logged_in(*command).document
    assert server.reports == [{"scope": scope, "note": "Not me"}]
    assert (document["schema"], document["scope"]) == ("sayso.report/1", scope)
    assert document["incident"] == "sayso_ic_aaaaaaaaaaaaaaaa"
    assert document["approval"]["state"] == "denied"
    (agent,) = document["agents"]
    assert (agent["state"], agent["tokens_revoked"]) == ("quarantined", 2)


def test_a_report_prints_its_result(logged_in, server):
    """Without --json, plain lines describe the result and name the incident."""
    approval = server.add()
    out = logged_in("report", approval["id"]).out
    assert out.startswith("Reported. Denied: ")
    assert "is quarantined: 2 tokens and 1 other request ended." in out
    assert "incident sayso_ic_aaaaaaaaaaaaaaaa" in out


def test_a_report_without_an_agent_says_so(logged_in, server):
    """A report quarantines nothing if a device made the request or if the agent was deleted."""
    server.reported_agents = False
    approval = server.add()
    assert "none was quarantined" in logged_in("report", approval["id"]).out


def test_a_decided_request_can_be_reported(logged_in, server):
    """The report does not change the decision."""
    approval = server.add()
    server.decide_elsewhere(approval["id"], "approve")
    document = logged_in("report", approval["id"], "--json").document
    assert document["approval"]["state"] == "approved"


def test_a_long_note_is_a_usage_error(logged_in, server):
    """A note of more than 500 characters is refused before anything is sent."""
    approval = server.add()
    assert logged_in("report", approval["id"], "--note", "x" * 501).code == Exit.USAGE
    assert (approval["state"], server.reports) == ("pending", [])


def test_reporting_an_unknown_id_exits_with_3(logged_in):
    """`report` exits with 3 for an unknown ID, as every other command does."""
    assert logged_in("report", "sayso_ap_none").code == Exit.NOT_FOUND

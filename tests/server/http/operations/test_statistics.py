"""The administrator's dashboard in the API: statistics, findings, settings and limits."""

import pytest

from tests.support.builders.admins import AdminSite


@pytest.mark.parametrize("days", ["0", "91", "-1", "x", "1.5", "²"])
def test_statistics_take_one_to_ninety_days(staff: AdminSite, days: str) -> None:
    """A limited number of days keeps the query cheap."""
    admin = staff.people["admin"]
    answer = admin.call("GET", "/api/admin/statistics", query={"days": days})
    assert answer.refusal == (422, "invalid_body")


def test_statistics_cover_the_last_days_with_agents_and_users(staff: AdminSite) -> None:
    """The last of the days is today."""
    admin = staff.people["admin"]
    reply = admin.call("GET", "/api/admin/statistics", query={"days": "2"}).json
    assert (reply["pending"], reply["total"]["waiting"], reply["complete"]) == (1, 1, True)
    assert [day["asked"] for day in reply["days"]] == [0, 1]
    assert reply["agents"][0]["name"] == "one"
    assert reply["people"][0]["name"] == "bystander"
    assert sum(span[risk] for span in reply["ending"] for risk in ("low", "medium", "high")) == 1
    assert [span["within_seconds"] for span in reply["ending"]][-1] is None


@pytest.mark.parametrize("days", ["0", "91", "x"])
def test_statistics_of_an_agent_take_one_to_ninety_days(staff: AdminSite, days: str) -> None:
    """A limited number of days keeps the query cheap."""
    path, admin = f"/api/agents/{staff.ids['agent']}/statistics", staff.people["admin"]
    assert admin.call("GET", path, query={"days": days}).refusal == (422, "invalid_body")


def test_statistics_of_an_agent_are_listed_by_day(staff: AdminSite) -> None:
    """The agent's owner gets them too."""
    path = f"/api/agents/{staff.ids['agent']}/statistics"
    for role in ("admin", "auditor", "owner"):
        reply = staff.people[role].call("GET", path, query={"days": "2"}).json
        assert (reply["total"]["asked"], reply["complete"]) == (1, True)
        assert [day["asked"] for day in reply["days"]] == [0, 1]


def test_findings_match_those_of_doctor(staff: AdminSite) -> None:
    """The worst findings come first, each with its remedy."""
    reply = staff.people["admin"].call("GET", "/api/admin/findings").json
    levels = [item["level"] for item in reply["items"]]
    assert levels == sorted(levels, key=["broken", "weak", "note"].index)
    (asks,) = [item for item in reply["items"] if "agent one can ask every user" in item["what"]]
    assert asks["fix"] == "Select the users that it can ask."
    assert asks["about"] == {"kind": "agent", "id": staff.ids["agent"]}
    assert reply["broken"] is False


def test_settings_are_listed_with_their_source(staff: AdminSite) -> None:
    """Settings have the names of their environment variables."""
    reply = staff.people["admin"].call("GET", "/api/admin/settings").json
    settings = {item["name"]: item for item in reply["items"]}
    assert settings["SAYSO_DENIALS_BEFORE_PAUSE"]["source"] == "default"
    assert reply["issuer"].startswith("http://localhost")


def test_limits_are_listed_with_their_settings(staff: AdminSite) -> None:
    """A configurable limit has its setting's source, and a fixed limit has none."""
    reply = staff.people["auditor"].call("GET", "/api/admin/limits").json
    limits = {item["name"]: item for item in reply["items"]}
    settable, fixed = limits["open_per_agent"], limits["unknown_users"]
    assert (settable["setting"], settable["source"]) == ("SAYSO_OPEN_PER_AGENT", "default")
    assert (fixed["setting"], fixed["source"], fixed["within_seconds"]) == (None, None, 600)
    assert reply["complete"] is True

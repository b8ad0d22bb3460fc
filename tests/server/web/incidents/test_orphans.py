"""The console: orphaned agents, adding an owner, and the incident that their quarantine opens."""

import re

import pytest

from server.services.incidents.orphan_quarantine import OrphanQuarantine
from tests.support.builders.clock import DAY
from tests.support.builders.console import Console
from tests.support.builders.installation import BY


@pytest.fixture
def console(console: Console) -> Console:
    """A console with every staff member signed in, and an agent whose only owner was disabled."""
    console.staff.local.admin.users.disable("owner", by=BY)
    return console


def _plain(page: str) -> str:
    """Return the text of a page without its markup."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def _quarantine(console: Console) -> str:
    """Let the grace period pass, sign the administrator in again, and return the incident's ID."""
    services = console.staff.local.services
    console.staff.local.clock.forward(14 * DAY)
    assert OrphanQuarantine(services.store, services.secrets, services.server_policy).round() == 1
    assert console.browsers["admin"].sign_in().status == 200
    with services.store.read() as view:
        return view.incidents.search(closed=False, limit=1)[0].id


def test_the_orphans_page_lists_the_agent_with_its_quarantine_date(console: Console) -> None:
    """The list links to the agent's page, which shows the same date."""
    agent = console.staff.ids["agent"]
    page = console.get("admin", "/admin/orphans").text
    assert f'href="/admin/agents/{agent}"' in page
    ends = console.document("/api/admin/orphans")["items"][0]["quarantine_at"]
    assert f'<time datetime="{ends}"' in page
    assert "No enabled owner." in page
    about = console.get("admin", f"/admin/agents/{agent}").text
    assert "This agent has no enabled owner." in about
    assert f'<time datetime="{ends}"' in about


def test_a_read_only_role_sees_no_owner_form(console: Console) -> None:
    """An auditor is told that an administrator can add an owner."""
    assert "An administrator can add an owner." in console.get("auditor", "/admin/orphans").text
    assert "#owners" not in console.get("auditor", "/admin/orphans").text
    about = console.get("auditor", f"/admin/agents/{console.staff.ids['agent']}").text
    assert 'name="add_owners"' not in about


def test_adding_an_owner_requires_a_passkey(console: Console) -> None:
    """The agent leaves the list, and its disabled owner can then be removed."""
    agent = console.staff.ids["agent"]
    assert f'href="/admin/agents/{agent}#owners"' in console.get("admin", "/admin/orphans").text
    page = console.get("admin", f"/admin/agents/{agent}").text
    version = console.document(f"/api/agents/{agent}")["version"]
    assert f'name="version" value="{version}"' in page
    assert 'id="owners"' in page
    form = {"version": version, "add_owners": "bystander"}
    done = console.signed("admin", f"/admin/agents/{agent}/owners", form)
    assert done.status_code == 303
    assert "two" in _plain(console.get("admin", "/admin/orphans").text)
    items = console.document("/api/admin/orphans")["items"]
    assert agent not in {item["client_id"] for item in items}
    page = console.get("admin", f"/admin/agents/{agent}").text
    assert "has no enabled owner" not in page
    old = console.document(f"/api/agents/{agent}")
    disabled_owner = next(person["id"] for person in old["owners"] if person["name"] == "owner")
    assert f'name="remove_owners" value="{disabled_owner}"' in page
    removal = {"version": old["version"], "remove_owners": disabled_owner}
    assert console.post("admin", f"/admin/agents/{agent}/owners", removal).status_code == 303
    remaining_owners = console.document(f"/api/agents/{agent}")["owners"]
    assert [person["name"] for person in remaining_owners] == ["bystander"]
    assert "Remove owner" not in console.get("admin", f"/admin/agents/{agent}").text


def test_the_incident_shows_the_orphan_quarantine(console: Console) -> None:
    """The incident, the list and the overview name the cause; it is closed like any other."""
    incident = _quarantine(console)
    for path in ("/admin", "/admin/incidents", f"/admin/incidents/{incident}"):
        assert "rphan quarantine" in console.get("admin", path).text, path
    page = console.get("admin", f"/admin/incidents/{incident}").text
    assert "because none of its owners was enabled" in page
    assert "signed" not in page
    incident_document = console.document(f"/api/incidents/{incident}")
    assert (
        incident_document["cause"],
        incident_document["user"],
        incident_document["approval"],
    ) == ("no_owner", None, None)
    assert incident_document["agents"][0]["state"] == "quarantined"
    closed = console.signed("admin", f"/admin/incidents/{incident}/close", {"note": "New owner"})
    assert closed.status_code == 303


def test_an_orphan_quarantine_is_lifted_only_with_an_owner(console: Console) -> None:
    """Until an owner is enabled, enabling the agent is refused with the reason."""
    _quarantine(console)
    agent = console.staff.ids["agent"]
    refused = console.post("admin", f"/admin/agents/{agent}/enable")
    assert (refused.status_code, "No owner of one is enabled." in refused.text) == (409, True)
    version = console.document(f"/api/agents/{agent}")["version"]
    form = {"version": version, "add_owners": "bystander"}
    console.signed("admin", f"/admin/agents/{agent}/owners", form)
    assert console.signed("admin", f"/admin/agents/{agent}/enable").status_code == 303
    assert console.document(f"/api/agents/{agent}")["state"] == "enabled"


def test_the_orphan_report_is_paged(console: Console) -> None:
    """Each agent is listed once, by name, including disabled agents without an owner."""
    admin, found, query = console.staff.people["admin"], [], {"limit": "1"}
    while True:
        part = admin.call("GET", "/api/admin/orphans", query=query).json
        found += [item["name"] for item in part["items"]]
        if part["next"] is None:
            break
        query["cursor"] = part["next"]
    assert found == ["one", "two"]


def test_an_unknown_owner_shows_an_error_on_the_field(console: Console) -> None:
    """The field keeps what was typed, and the agent is unchanged."""
    agent = console.staff.ids["agent"]
    before = console.document(f"/api/agents/{agent}")
    form = {"version": before["version"], "add_owners": "nobody at all"}
    page = console.post("admin", f"/admin/agents/{agent}/owners", form)
    assert page.status_code == 404
    assert 'value="nobody at all"' in page.text
    assert "There is no user nobody at all." in page.text
    assert console.document(f"/api/agents/{agent}") == before

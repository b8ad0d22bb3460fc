"""Forms about agents and resources offer the existing values, so that no ID is typed."""

import html
import re

from server.protocol.names import name_id
from server.protocol.policy.risks import Risk
from server.services.clients.agent_forms import AgentChanges
from server.services.resources.resources import ResourceChanges
from tests.support.builders.console import Console
from tests.support.builders.installation import BY, PAY

EDIT = f"/admin/resources/{name_id(PAY)}/edit"


def _ticks(console: Console, path: str, member: str) -> list[str]:
    page = html.unescape(console.get("admin", path).text)
    return re.findall(f'type="checkbox" [^>]*name="{member}-([^"]+)"', page)


def test_an_agents_limits_are_ticked(console: Console) -> None:
    """The form has a checkbox for each scope at each resource."""
    limits = _ticks(console, "/admin/new/agent", "only")
    assert f"{PAY} payments:read" in limits
    assert f"{PAY} payments:transfer" in limits


def test_a_resource_offers_its_own_scopes_and_each_action_type(console: Console) -> None:
    """The choices are default scopes and required action types; a new resource has none yet."""
    scopes = _ticks(console, EDIT, "default_scopes")
    needs = _ticks(console, EDIT, "requires")
    assert set(scopes) == {"payments:read", "payments:transfer"}
    assert "payments:transfer payment.transfer" in needs
    assert _ticks(console, "/admin/new/resource", "requires") == []
    for path in (EDIT, "/admin/new/resource"):
        page = console.get("admin", path).text
        assert 'name="requires" list="requires-known"' in page, "a new scope can be typed"


def test_a_long_list_is_offered_while_typing(console: Console) -> None:
    """The stored values are checkboxes, and the others are suggested while typing."""
    scopes = {f"payments:s{number}": Risk.LOW for number in range(31)}
    local = console.staff.local
    local.admin.resources.update(
        PAY, ResourceChanges(scopes=scopes, requires={"payments:s1": "payment.transfer"}), by=BY
    )
    page = console.get("admin", EDIT).text
    assert _ticks(console, EDIT, "requires") == ["payments:s1 payment.transfer"]
    assert '<option value="payments:s30 payment.transfer">' in page


def test_an_empty_list_links_to_the_page_that_creates_a_record(console: Console) -> None:
    """Users who may not create a record only read that there is none."""
    admin, agent = console.staff.local.admin, console.staff.ids["agent"]
    new, edit = "/admin/new/agent", f"/admin/agents/{agent}/edit"
    assert "None yet." not in console.get("admin", new).text
    admin.resources.delete(PAY, by=BY)
    for action in admin.actions.all():
        admin.actions.delete(action.type, by=BY)
    page = console.get("admin", new).text
    links = re.findall('None yet. <a href="([^"]+)">([^<]+)</a>', page)
    resource = ("/admin/new/resource", "Register a resource")
    assert links.count(("/admin/new/action", "Register an action type")) == 1
    assert links.count(resource) == len(links) - 1 > 1
    assert page.count("None yet.") == len(links)
    assert all(console.get("admin", path).status_code == 200 for path, _ in links)
    admin.agents.update("one", AgentChanges(add_owners=("auditor",)), by=BY)
    own = console.get("auditor", edit).text
    assert own.count("None yet.</p>") == len(links)
    assert "None yet. <a" not in own


def test_a_scope_at_many_resources_has_a_short_label(console: Console) -> None:
    """Up to three resources with the same risk are named; more are counted."""
    resources = console.staff.local.admin.resources
    for number in range(4):
        resources.add(f"https://{number}.example", {"files:read": Risk.LOW}, {}, by=BY)
    resources.add("https://vault.example", {"files:read": Risk.HIGH}, {}, by=BY)
    page = console.get("admin", "/admin/new/agent").text
    assert "files:read: low at 4 resources, high at https://vault.example" in page
    assert "low at https://3.example" not in page

"""The console: escalating a pending request, and names next to IDs in the audit log."""

from server.model.audit import Entry
from server.services.audit import audit
from tests.support.builders.console import Console


def _request_approval(console: Console) -> set[str]:
    with console.staff.local.services.store.read() as view:
        return {
            approver.user_id
            for approver in view.approvers.of_approval(console.staff.ids["approval"])
        }


def test_a_pending_request_is_escalated_with_the_passkey(console: Console) -> None:
    """The audit log records who escalated, and the page shows that person's name."""
    path = f"/admin/approvals/{console.staff.ids['approval']}"
    assert "Escalate…" in console.get("admin", path).text
    done = console.signed("admin", f"{path}/escalate", {"to": "stranger"})
    assert (done.status_code, done.headers["Location"].endswith(path)) == (303, True)
    assert console.staff.people["stranger"].user.id in _request_approval(console)
    page = console.get("admin", path).text
    assert "approval.escalated" in page
    assert "<bdi>admin</bdi>" in page


def test_an_invalid_escalation_is_explained_at_its_field(console: Console) -> None:
    """A current approver, an unknown user and an empty field are refused; nothing changes."""
    path = f"/admin/approvals/{console.staff.ids['approval']}"
    for to, status, says in (
        ("bystander", 409, "bystander is already an approver of this request."),
        ("nobody", 404, "There is no user nobody."),
        ("", 422, "This field is required."),
    ):
        page = console.post("admin", f"{path}/escalate", {"to": to})
        assert (page.status_code, says in page.text) == (status, True), page.text
        assert f'value="{to}"' in page.text
    assert _request_approval(console) == set()


def test_only_an_administrator_escalates_and_only_pending_requests(console: Console) -> None:
    """An auditor sees no button, and a request that is no longer pending has none."""
    path = f"/admin/approvals/{console.staff.ids['approval']}"
    assert "Escalate…" not in console.get("auditor", path).text
    console.post("admin", f"{path}/cancel", {"reason": "Not now"})
    assert "Escalate…" not in console.get("admin", path).text


def test_the_audit_log_shows_names_next_to_ids_and_is_searched_by_them(console: Console) -> None:
    """Users and agents are shown by name, the command line and the server in words."""
    admin = console.staff.people["admin"].user.id
    console.post("admin", f"/admin/agents/{console.staff.ids['agent']}/disable")
    page = console.get("admin", "/admin/audit?actor=admin").text
    assert "<bdi>admin</bdi>" in page
    assert f"<bdi>user:{admin}</bdi>" in page
    assert "agent.disabled" in page
    assert "operator" not in page
    assert "<bdi>command line</bdi>" in console.get("admin", "/admin/audit?actor=operator").text
    agent_entries = console.get("admin", "/admin/audit?agent=one&type=agent.disabled").text
    assert agent_entries.count("agent.disabled</a>") == 1


def test_an_actor_without_a_name_is_shown_by_its_id(console: Console) -> None:
    """A restore can bring back entries of users that this installation does not have."""
    with console.staff.local.services.store.write() as tx:
        tx.audit.add(Entry(audit.Type.AGENT_DISABLED, "user:missing", facts={"agent": "x"}))
    page = console.get("admin", "/admin/audit")
    assert page.status_code == 200
    assert "<bdi>user:missing</bdi>" in page.text


def test_an_entry_names_its_agent_and_keeps_its_id(console: Console) -> None:
    """The `names` member has the names, and the page shows both the name and the ID."""
    agent = console.staff.ids["agent"]
    console.post("admin", f"/admin/agents/{agent}/disable")
    answer = console.staff.people["admin"].call(
        "GET", "/api/audit", query={"actor": "admin", "type": "agent.disabled"}
    )
    (entry,) = answer.json["items"]
    assert entry["names"] == {"actor": "admin", "agent_id": "one"}
    page = console.get("admin", f"/admin/audit/{entry['id']}").text
    assert "<bdi>one</bdi>" in page
    assert f"<bdi>{agent}</bdi>" in page

"""`sayso audit`: search, show and follow the audit log."""

import json
import re
import signal
import subprocess
import sys


def test_the_audit_log_is_shown_and_searched(admin_cli, pending_request):
    """Filters take names or IDs, and a request's ID shows its timeline."""
    admin_cli("agents", "disable", "invoice-bot")
    agent, admin = pending_request.agent_id, pending_request.user_id
    entries_by_query = {
        query: admin_cli("audit", "search", *query, "--json").document["items"]
        for query in (
            ("--agent", "invoice-bot", "--type", "agent.disabled"),
            ("--agent", agent, "-n", "1"),
            ("--user", "admin", "--type", "user.added", "--since", "1h", "--until", "2099-01-01"),
            ("--user", admin, "--type", "user.added", "--actor", "operator"),
            ("--resource", "https://pay.example", "--type", "resource.added"),
            ("--approval", pending_request.id, "--type", "approval.cancelled"),
            ("--until", "1h"),
            ("--correlation", "none"),
        )
    }
    assert [[entry["type"] for entry in entries] for entries in entries_by_query.values()] == [
        ["agent.disabled"],
        ["agent.disabled"],
        ["user.added"],
        ["user.added"],
        ["resource.added"],
        ["approval.cancelled"],
        [],
        [],
    ]
    (entry,) = admin_cli("audit", "search", "--type", "agent.disabled", "--json").document["items"]
    assert admin_cli("audit", "show", entry["id"], "--json").document == entry
    assert "agent.disabled" in admin_cli("audit", "show", entry["id"]).out
    assert (
        admin_cli("audit", "search", "--before", entry["id"], "--type", "agent.disabled").code == 0
    )
    wrong = admin_cli("audit", "search", "--before", "zzz", "--json")
    assert (wrong.code, wrong.error["message"][:28]) == (3, "There is no audit entry zzz.")
    timeline = admin_cli("audit", "show", pending_request.id)
    assert re.fullmatch(
        "    [+]0.0 s  .*Z  approval.cancelled .*cause=agent_disabled.*\n", timeline.out
    )
    items = admin_cli("audit", "show", pending_request.id, "--json").document["items"]
    assert [item["type"] for item in items] == ["approval.cancelled"]
    same = admin_cli("audit", "show", items[0]["id"], "--timeline", "--json").document["items"]
    assert same == items
    assert admin_cli("audit", "show", "nothing", "--json").error["code"] == "not_found"
    assert admin_cli("audit", "search", "--agent", "nobody", "--json").error["code"] == "not_found"


def test_a_followed_audit_log_prints_entries_of_other_processes(admin_cli):
    """Each entry is printed once, as one document per line, until interrupted."""
    program = [sys.executable, "-c", "from server.cli.main import main; main()"]
    follow = ["audit", "tail", "-n", "1", "--follow", "--jsonl"]
    with subprocess.Popen([*program, *follow], stdout=subprocess.PIPE, text=True) as process:
        assert json.loads(process.stdout.readline())["type"] == "resource.added"
        admin_cli("users", "add", "ana")
        event_types = [json.loads(process.stdout.readline())["type"] for _ in range(2)]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 130
        assert process.stdout.read() == ""
    assert event_types == ["user.added", "code.issued"]

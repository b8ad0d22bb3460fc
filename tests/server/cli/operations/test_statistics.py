"""`sayso approvals statistics` and `sayso approvals limits`."""

from server.protocol.approvals.states import State


def test_statistics_list_days_agents_and_users_with_warnings(admin_cli, services, pending_request):
    """The warnings name the agents and users that need attention."""
    document = admin_cli("approvals", "statistics", "--days", "3", "--json").document
    assert (document["pending"], document["total"]["waiting"], len(document["days"])) == (1, 1, 3)
    assert document["agents"][0]["name"] == "invoice-bot"
    assert (document["people"][0]["name"], document["people"][0]["busiest"]) == ("admin", 1)
    assert document["ending"][-1]["within_seconds"] is None
    assert sum(span["low"] + span["medium"] for span in document["ending"]) == 1
    agent_statistics = admin_cli(
        "approvals", "statistics", "--days", "3", "--agent", "invoice-bot", "--json"
    )
    assert (
        agent_statistics.document["total"]["waiting"],
        len(agent_statistics.document["days"]),
    ) == (1, 3)
    lines = admin_cli("approvals", "statistics", "--agent", "invoice-bot").out.splitlines()
    assert (lines[0].split()[0], len(lines)) == ("DAY", 15)
    printed = admin_cli("approvals", "statistics").out
    assert "1 pending now." in printed
    assert "asked" not in printed.splitlines()[-1]
    owner, agent = pending_request.user_id, pending_request.agent_id
    now = services.clock.now()
    for _ in range(31):
        times = {"created_at": now, "seen_at": now, "decided_at": now + 1}
        services.approval(agent, owner, state=State.REDEEMED, **times)
    printed = admin_cli("approvals", "statistics").out
    assert (
        "Requests of invoice-bot are almost always approved, faster than anyone can read them."
    ) in printed
    assert "admin was asked 32 times in one day." in printed


def test_limits_list_each_setting_and_who_reached_it(admin_cli, services, pending_request):
    """Each limit names the setting that changes it, if there is one."""
    document = admin_cli("approvals", "limits", "--json").document
    limits = {item["name"]: item for item in document["items"]}
    assert limits["open_per_agent"]["setting"] == "SAYSO_OPEN_PER_AGENT"
    assert limits["unknown_users"]["setting"] is None
    assert limits["open_per_agent"]["near"] == []
    for _ in range(9):
        services.approval(pending_request.agent_id, pending_request.user_id)
    (near,) = admin_cli("approvals", "limits", "--json").document["items"][0]["near"]
    assert (near["agent"]["name"], near["user"]["name"], near["count"]) == (
        "invoice-bot",
        "admin",
        10,
    )
    printed = admin_cli("approvals", "limits").out
    assert "SAYSO_OPEN_IN_ALL" in printed
    assert "invoice-bot and admin has reached open_per_agent: 10 of 10." in printed

"""`sayso agents show` lists the pauses of an agent."""

import time

from server.model.approvals import Decision
from server.protocol.approvals.states import State
from tests.support.builders.installation import open_admin


def test_a_pause_is_shown_with_its_agent(admin_cli, data_folder):
    """Three denials of the same kind pause the agent for that user, and the end is shown."""
    admin_cli("agents", "add", "invoice-bot", "--owner", "admin")
    assert admin_cli("agents", "show", "invoice-bot", "--json").document["pauses"] == []
    services = open_admin(data_folder)
    services.clock.moment = int(time.time() * 1000)
    agent, (admin,) = services.agents.show("invoice-bot")
    at = services.clock.now()
    vote = ("sayso_dv_1", "deny", None, None, "confirm", "terminal", "signed", at)
    for _ in range(3):
        denied = services.approval(agent.id, admin.id, state=State.DENIED, decided_at=at)
        with services.store.write() as tx:
            tx.decisions.add(Decision(denied.id, admin.id, *vote))
    (pause,) = admin_cli("agents", "show", "invoice-bot", "--json").document["pauses"]
    assert (pause["user"], pause["type"]) == ({"id": admin.id, "name": "admin"}, None)
    out = admin_cli("agents", "show", "invoice-bot").out
    assert "paused: admin denied scopes only repeatedly; it may ask again at " in out
    services.store.close()

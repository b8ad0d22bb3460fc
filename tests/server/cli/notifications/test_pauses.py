"""`sayso agents show` says what an agent may not ask for a while."""

import time

from server.model.approvals import Decision
from server.protocol.approvals.states import State
from tests.support.builders.installation import open_desk


def test_a_pause_is_shown_with_its_agent(begun, folder):
    """Three denials of one kind; the person, what they denied, and until when."""
    begun("agents", "add", "invoice-bot", "--owner", "admin")
    assert begun("agents", "show", "invoice-bot", "--json").document["pauses"] == []
    desk = open_desk(folder)
    desk.clock.moment = int(time.time() * 1000)
    agent, (admin,) = desk.agents.show("invoice-bot")
    at = desk.clock.now()
    said = ("sayso_dv_1", "deny", None, None, "confirm", "terminal", "signed", at)
    for _ in range(3):
        denied = desk.approval(agent.id, admin.id, state=State.DENIED, decided_at=at)
        with desk.store.write() as tx:
            tx.decisions.add(Decision(denied.id, admin.id, *said))
    (pause,) = begun("agents", "show", "invoice-bot", "--json").document["pauses"]
    assert (pause["user"], pause["type"]) == ({"id": admin.id, "name": "admin"}, None)
    out = begun("agents", "show", "invoice-bot").out
    assert "paused: admin denied scopes only repeatedly; it may ask again at " in out
    desk.store.close()

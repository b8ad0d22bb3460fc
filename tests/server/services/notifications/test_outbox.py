"""What leaves the installation, to whoever runs it."""

from dataclasses import replace

import pytest

from server.services.notifications.outbox import OutboxAdministration
from server.services.refusals import NotFound
from tests.support.builders.installation import BY, Desk, admitted, registered


def _given_up(desk: Desk, target: str) -> int:
    with desk.store.write() as tx:
        tx.outbox.add("ciba_ping", target, "{}")
        (message,) = tx.outbox.lease("me", 10, 60)
        tx.outbox.failed(message.id, "me", "no route", None)
    return message.id


def test_what_was_given_up_is_told_with_whom_it_was_for(desk: Desk) -> None:
    """An agent by its name; whoever is gone by what is known of them."""
    admitted(desk)
    agent = registered(desk, name="bot").agent
    for target in (agent.id, "sayso_ag_gone"):
        _given_up(desk, target)
    state = OutboxAdministration(desk.store).state()
    assert dict(state.counts) == {"dead": 2}
    assert [(one.whom, one.message.last_error) for one in state.dead] == [
        ("sayso_ag_gone", "no route"),
        ("bot", "no route"),
    ]


def test_a_message_that_is_retried_leaves_as_if_it_were_new(desk: Desk) -> None:
    """Once; and the log says who wanted it."""
    outgoing, message_id = OutboxAdministration(desk.store), _given_up(desk, "sayso_ag_gone")
    again = outgoing.retry(message_id, by=BY).message
    assert (again.state, again.attempts, again.last_error) == ("waiting", 0, None)
    (entry,) = desk.entries("outbox.retried")
    assert entry["facts"] == {
        "message": message_id,
        "channel": "ciba_ping",
        "target": "sayso_ag_gone",
    }
    with desk.store.write() as tx:
        (leased,) = tx.outbox.lease("me", 10, 60)
    assert leased == replace(again, state="leased", attempts=1)
    with pytest.raises(NotFound, match="no undelivered message"):
        outgoing.retry(message_id, by=BY)


def test_a_message_that_never_was_is_not_retried(desk: Desk) -> None:
    """Nor written down."""
    with pytest.raises(NotFound, match="There is no undelivered message 7"):
        OutboxAdministration(desk.store).retry(7, by=BY)
    assert desk.entries("outbox.retried") == []

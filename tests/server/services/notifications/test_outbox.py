"""The administration of outbox messages."""

from dataclasses import replace

import pytest

from server.services.notifications.outbox import OutboxAdministration
from server.services.refusals import NotFound
from tests.support.builders.installation import BY, LocalAdmin, admitted, registered


def _failed_message(admin_services: LocalAdmin, target: str) -> int:
    with admin_services.store.write() as tx:
        tx.outbox.add("ciba_ping", target, "{}")
        (message,) = tx.outbox.lease("me", 10, 60)
        tx.outbox.failed(message.id, "me", "no route", None)
    return message.id


def test_undelivered_messages_name_their_recipient(admin_services: LocalAdmin) -> None:
    """An agent by its name, a deleted one by its ID."""
    admitted(admin_services)
    agent = registered(admin_services, name="bot").agent
    for target in (agent.id, "sayso_ag_gone"):
        _failed_message(admin_services, target)
    state = OutboxAdministration(admin_services.store).state()
    assert dict(state.counts) == {"dead": 2}
    assert [(one.recipient, one.message.last_error) for one in state.dead] == [
        ("sayso_ag_gone", "no route"),
        ("bot", "no route"),
    ]


def test_a_retried_message_is_sent_like_a_new_one(admin_services: LocalAdmin) -> None:
    """It is sent once more, and an audit entry says so."""
    outbox, message_id = (
        OutboxAdministration(admin_services.store),
        _failed_message(admin_services, "sayso_ag_gone"),
    )
    again = outbox.retry(message_id, by=BY).message
    assert (again.state, again.attempts, again.last_error) == ("waiting", 0, None)
    (entry,) = admin_services.entries("outbox.retried")
    assert entry["facts"] == {
        "message": message_id,
        "channel": "ciba_ping",
        "target": "sayso_ag_gone",
    }
    with admin_services.store.write() as tx:
        (leased,) = tx.outbox.lease("me", 10, 60)
    assert leased == replace(again, state="leased", attempts=1)
    with pytest.raises(NotFound, match="no undelivered message"):
        outbox.retry(message_id, by=BY)


def test_retrying_an_unknown_message_is_not_found(admin_services: LocalAdmin) -> None:
    """It is no audit entry."""
    with pytest.raises(NotFound, match="There is no undelivered message 7"):
        OutboxAdministration(admin_services.store).retry(7, by=BY)
    assert admin_services.entries("outbox.retried") == []

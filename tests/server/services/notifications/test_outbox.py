"""How administrators list and retry undelivered outbox messages."""

from dataclasses import replace

import pytest

from server.services.notifications.outbox import OutboxAdministration
from server.services.refusals import NotFound
from tests.support.builders.installation import BY, LocalAdmin, add_user, register_agent


def _add_failed_message(admin_services: LocalAdmin, target: str) -> int:
    with admin_services.store.write() as tx:
        tx.outbox.add("ciba_ping", target, "{}")
        (message,) = tx.outbox.lease("me", 10, 60)
        tx.outbox.mark_failed(message.id, "me", "no route", None)
    return message.id


def test_undelivered_messages_name_their_recipient(admin_services: LocalAdmin) -> None:
    """An agent is shown by its name, and a deleted agent by its ID."""
    add_user(admin_services)
    agent = register_agent(admin_services, name="bot").agent
    for target in (agent.id, "sayso_ag_gone"):
        _add_failed_message(admin_services, target)
    state = OutboxAdministration(admin_services.store).state()
    assert dict(state.counts) == {"dead": 2}
    assert [(dead.recipient, dead.message.last_error) for dead in state.dead] == [
        ("sayso_ag_gone", "no route"),
        ("bot", "no route"),
    ]


def test_a_retried_message_is_sent_like_a_new_one(admin_services: LocalAdmin) -> None:
    """The attempts of the message start again at zero, and an audit entry records the retry."""
    outbox, message_id = (
        OutboxAdministration(admin_services.store),
        _add_failed_message(admin_services, "sayso_ag_gone"),
    )
    retried = outbox.retry(message_id, by=BY).message
    assert (retried.state, retried.attempts, retried.last_error) == ("waiting", 0, None)
    (entry,) = admin_services.entries("outbox.retried")
    assert entry["facts"] == {
        "message": message_id,
        "channel": "ciba_ping",
        "target": "sayso_ag_gone",
    }
    with admin_services.store.write() as tx:
        (leased,) = tx.outbox.lease("me", 10, 60)
    assert leased == replace(retried, state="leased", attempts=1)
    with pytest.raises(NotFound, match="no undelivered message"):
        outbox.retry(message_id, by=BY)


def test_retrying_an_unknown_message_is_not_found(admin_services: LocalAdmin) -> None:
    """The refused retry writes no audit entry."""
    with pytest.raises(NotFound, match="There is no undelivered message 7"):
        OutboxAdministration(admin_services.store).retry(7, by=BY)
    assert admin_services.entries("outbox.retried") == []

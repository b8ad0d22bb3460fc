"""`sayso outbox`: what was given up, and once more."""

from tests.support.builders.installation import open_desk


def test_a_message_is_seen_and_retried(begun, folder):
    """By its id; a second time there is nothing to retry."""
    assert begun("outbox", "list", "--json").document["items"] == []
    desk = open_desk(folder)
    with desk.store.write() as tx:
        tx.outbox.add("ciba_ping", "sayso_ag_gone", "{}")
        (message,) = tx.outbox.lease("me", 10, 60)
        tx.outbox.failed(message.id, "me", "no route", None)
    desk.store.close()
    document = begun("outbox", "list", "--json").document
    assert document["counts"]["dead"] == 1
    assert [(one["id"], one["whom"]) for one in document["items"]] == [
        (message.id, "sayso_ag_gone")
    ]
    out = begun("outbox", "list").out
    assert "1 undelivered" in out
    assert "no route" in out
    assert begun("outbox", "retry", str(message.id), "--json").document["state"] == "waiting"
    assert begun("outbox", "retry", str(message.id), "--json").code == 3

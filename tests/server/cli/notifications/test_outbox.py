"""`sayso outbox`: list and retry undelivered messages."""

from tests.support.builders.installation import open_admin


def test_an_undelivered_message_is_listed_and_retried(admin_cli, data_folder):
    """The message is given by its ID; a second retry finds nothing to retry."""
    assert admin_cli("outbox", "list", "--json").document["items"] == []
    services = open_admin(data_folder)
    with services.store.write() as tx:
        tx.outbox.add("ciba_ping", "sayso_ag_gone", "{}")
        (message,) = tx.outbox.lease("me", 10, 60)
        tx.outbox.mark_failed(message.id, "me", "no route", None)
    services.store.close()
    document = admin_cli("outbox", "list", "--json").document
    assert document["counts"]["dead"] == 1
    assert [(item["id"], item["recipient"]) for item in document["items"]] == [
        (str(message.id), "sayso_ag_gone")
    ]
    out = admin_cli("outbox", "list").out
    assert "1 undelivered" in out
    assert "no route" in out
    assert admin_cli("outbox", "retry", str(message.id), "--json").document["state"] == "waiting"
    assert admin_cli("outbox", "retry", str(message.id), "--json").code == 3
    assert admin_cli("outbox", "retry", str(2**63 - 1), "--json").code == 3
    assert admin_cli("outbox", "retry", str(2**63), "--json").error["code"] != "internal"

"""`sayso consents`: list and revoke."""

from server.model.consents import Consent
from tests.support.builders.clock import DAY


def test_consents_are_listed_and_revoked(admin_cli, services, pending_request):
    """Consents of all users are listed; revoking one again is a conflict."""
    until = services.clock.now() + DAY
    consent = Consent(
        id="sayso_co_1",
        user_id=pending_request.user_id,
        client_id=pending_request.agent_id,
        app_id="sayso_app_chat",
        resource="https://pay.example",
        scopes=("payments:read",),
        created_at=services.clock.now(),
        expires_at=until,
        revoked_at=None,
        approval_id=pending_request.id,
    )
    with services.store.write() as tx:
        tx.consents.add(consent)
    (item,) = admin_cli("consents", "list", "--client", "invoice-bot", "--json").document["items"]
    assert (item["id"], item["state"], item["scopes"]) == ("sayso_co_1", "live", ["payments:read"])
    assert (item["client"]["name"], item["user"]["name"]) == ("invoice-bot", "admin")
    assert item["app"]["id"] == "sayso_app_chat"
    assert "payments:read" in admin_cli("consents", "list", "--user", "admin").out
    revoked = admin_cli("consents", "revoke", "sayso_co_1", "--json").document
    assert (revoked["state"], revoked["tokens_revoked"]) == ("revoked", 0)
    again = admin_cli("consents", "revoke", "sayso_co_1", "--json")
    assert (again.code, again.error["code"]) == (6, "conflict")
    assert admin_cli("consents", "revoke", "sayso_co_2").code == 3
    assert admin_cli("consents", "list", "--json").document == {"items": []}
    assert len(admin_cli("consents", "list", "--ended", "--json").document["items"]) == 1

"""`consents` lists consents, and `revoke` ends one."""

import json

import pytest

from approver_tui.cli.exits import Exit
from tests.approver_tui.client.conftest import wire_consent
from tests.support.builders.approval_texts import to_rfc3339

LIVE = "sayso_co_livelivelive"


@pytest.fixture
def consents(server):
    """Add one active, one expired and one revoked consent."""
    now = server.now()

    server.consents = [
        wire_consent(
            server,
            id=LIVE,
            scopes=["payments:read", "payments:transfer"],
            app={"id": "sayso_app_b", "name": "books"},
        ),
        wire_consent(server, id="sayso_co_old", state="expired", expires_at=to_rfc3339(now - 1)),
        wire_consent(server, id="sayso_co_gone", state="revoked", revoked_at=to_rfc3339(now - 1)),
    ]


@pytest.mark.usefixtures("consents")
def test_active_consents_are_listed_with_their_revoke_command(logged_in):
    """Each entry has the client, the resource, the scopes and the command that revokes it."""
    result = logged_in("consents")
    assert "invoice-bot at https://pay.example, requested by books" in result.out
    assert "may use payments:read, payments:transfer" in result.out
    assert f"sayso-approver revoke {LIVE}" in result.out
    assert "expired" not in result.out
    (item,) = logged_in("consents", "--json").document["items"]
    assert (item["id"], item["app"], item["revoked_at"]) == (LIVE, "books", None)


@pytest.mark.usefixtures("consents")
def test_the_ended_flag_lists_ended_consents(logged_in):
    """--ended also lists expired and revoked consents, without a command to revoke them."""
    result = logged_in("consents", "--ended")
    assert "expired" in result.out
    assert "revoked" in result.out
    assert result.out.count("sayso-approver revoke") == 1


def test_an_empty_list_says_so(logged_in):
    """Without any consents, the output is one line instead of nothing."""
    assert logged_in("consents").out.strip() == "No consents."


@pytest.mark.usefixtures("consents")
def test_revoking_a_consent_requires_no_pin(logged_in):
    """The output shows how many tokens were revoked with the consent."""
    result = logged_in("revoke", LIVE)
    assert (
        result.out.strip()
        == "Revoked: invoice-bot at https://pay.example. 2 tokens were also revoked."
    )
    again = logged_in("revoke", LIVE, "--json").document
    assert (again["state"], again["tokens_revoked"]) == ("revoked", 0)


@pytest.mark.usefixtures("consents")
def test_an_unknown_consent_exits_with_3(logged_in):
    """Revoking an unknown consent is a not-found error."""
    result = logged_in("revoke", "sayso_co_x", "--json")
    assert result.code == Exit.NOT_FOUND
    assert json.loads(result.err)["error"] == "not_found"

"""`consents` lists consents, and `revoke` ends one."""

import json

import pytest

from approver_tui.cli.exits import Exit
from tests.support.builders.approval_texts import to_rfc3339

LIVE = "sayso_co_livelivelive"


@pytest.fixture
def consents(server):
    """Add one active, one expired and one revoked consent."""
    now = server.now()

    def consent(name, state, **members):
        return {
            "id": name,
            "state": state,
            "client": {"id": "sayso_ag_a", "name": "invoice-bot"},
            "app": None,
            "resource": "https://pay.example",
            "scopes": ["payments:read", "payments:transfer"],
            "created_at": to_rfc3339(now - 1_000),
            "expires_at": to_rfc3339(now + 86_400_000),
            "revoked_at": None,
            **members,
        }

    server.consents = [
        consent(LIVE, "live", app={"id": "sayso_app_b", "name": "books"}),
        consent("sayso_co_old", "expired", expires_at=to_rfc3339(now - 1)),
        consent("sayso_co_gone", "revoked", revoked_at=to_rfc3339(now - 1)),
    ]


@pytest.mark.usefixtures("consents")
def test_active_consents_are_listed_with_their_revoke_command(logged_in):
    """Each entry has the client, the resource, the scopes and the command that revokes it."""
    done = logged_in("consents")
    assert "invoice-bot at https://pay.example, requested by books" in done.out
    assert "may use payments:read, payments:transfer" in done.out
    assert f"sayso-approver revoke {LIVE}" in done.out
    assert "expired" not in done.out
    (item,) = logged_in("consents", "--json").document["items"]
    assert (item["id"], item["app"], item["revoked_at"]) == (LIVE, "books", None)


@pytest.mark.usefixtures("consents")
def test_ended_consents_are_listed_with_a_flag(logged_in):
    """--ended also lists expired and revoked consents, without a command to revoke them."""
    done = logged_in("consents", "--ended")
    assert "expired" in done.out
    assert "revoked" in done.out
    assert done.out.count("sayso-approver revoke") == 1


def test_an_empty_list_says_so(logged_in):
    """Without any consents, the output is one line instead of nothing."""
    assert logged_in("consents").out.strip() == "There are none."


@pytest.mark.usefixtures("consents")
def test_revoking_a_consent_requires_no_pin(logged_in):
    """The output has the number of tokens that were revoked with the consent."""
    done = logged_in("revoke", LIVE)
    assert done.out.strip() == "Revoked: invoice-bot at https://pay.example. 2 tokens also ended."
    again = logged_in("revoke", LIVE, "--json").document
    assert (again["state"], again["tokens_revoked"]) == ("revoked", 0)


@pytest.mark.usefixtures("consents")
def test_an_unknown_consent_exits_with_3(logged_in):
    """Revoking an unknown consent is a not-found error."""
    done = logged_in("revoke", "sayso_co_x", "--json")
    assert done.code == Exit.NOT_FOUND
    assert json.loads(done.err)["error"] == "not_found"

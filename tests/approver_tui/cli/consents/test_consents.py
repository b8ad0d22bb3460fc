"""Consents at the command line: what they allow, until when, and the way to take one back."""

import json

import pytest

from approver_tui.cli.exits import Exit
from tests.support.builders.approval_texts import when

LIVE = "sayso_co_livelivelive"


@pytest.fixture
def consents(server):
    """One in force, one that ran out, one that was taken back."""
    now = server.now()

    def consent(name, state, **members):
        return {
            "id": name,
            "state": state,
            "client": {"id": "sayso_ag_a", "name": "invoice-bot"},
            "app": None,
            "resource": "https://pay.example",
            "scopes": ["payments:read", "payments:transfer"],
            "created_at": when(now - 1_000),
            "expires_at": when(now + 86_400_000),
            "revoked_at": None,
            **members,
        }

    server.consents = [
        consent(LIVE, "live", app={"id": "sayso_app_b", "name": "books"}),
        consent("sayso_co_old", "expired", expires_at=when(now - 1)),
        consent("sayso_co_gone", "revoked", revoked_at=when(now - 1)),
    ]


@pytest.mark.usefixtures("consents")
def test_what_is_in_force_is_listed_with_the_way_back(logged_in):
    """Who, where, what, until when."""
    done = logged_in("consents")
    assert "invoice-bot at https://pay.example, asked for by books" in done.out
    assert "may use payments:read, payments:transfer" in done.out
    assert f"sayso-approver revoke {LIVE}" in done.out
    assert "expired" not in done.out
    (item,) = logged_in("consents", "--json").document["items"]
    assert (item["id"], item["app"], item["revoked_at"]) == (LIVE, "books", None)


@pytest.mark.usefixtures("consents")
def test_what_is_over_is_listed_when_it_is_asked_for(logged_in):
    """With when it ended, and without a way to end it."""
    done = logged_in("consents", "--ended")
    assert "expired" in done.out
    assert "revoked" in done.out
    assert done.out.count("sayso-approver revoke") == 1


def test_none_is_said(logged_in):
    """An empty list is an answer."""
    assert logged_in("consents").out.strip() == "There are none."


@pytest.mark.usefixtures("consents")
def test_one_is_taken_back_without_a_pin(logged_in):
    """It removes power; what ended with it is counted."""
    done = logged_in("revoke", LIVE)
    assert (
        done.out.strip() == "Revoked: invoice-bot at https://pay.example. 2 tokens ended with it."
    )
    again = logged_in("revoke", LIVE, "--json").document
    assert (again["state"], again["tokens_revoked"]) == ("revoked", 0)


@pytest.mark.usefixtures("consents")
def test_an_unknown_one_is_not_found(logged_in):
    """Nor is somebody else's."""
    done = logged_in("revoke", "sayso_co_x", "--json")
    assert done.code == Exit.NOT_FOUND
    assert json.loads(done.err)["error"] == "not_found"

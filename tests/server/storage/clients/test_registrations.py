"""Invitations and registrations are stored in both databases."""

from dataclasses import replace

import pytest

from server.model.clients import Invitation, Registration
from server.model.users import User
from server.storage.store import SqlStore
from tests.support.builders.clock import NOON

INVITATION = Invitation(
    id="sayso_in_a",
    token_hash=b"hash",
    owner_id="sayso_us_a",
    grant_types=("one", "two"),
    resources=("https://a.example",),
    scopes=(),
    action_types=None,
    asks=(),
    uses_left=2,
    created_by="operator",
    created_at=NOON,
    expires_at=NOON + 10,
    revoked_at=None,
)


@pytest.fixture
def store_with_invitation(store: SqlStore) -> SqlStore:
    """A store with an invitation whose owner is a user."""
    with store.write() as tx:
        tx.users.add(User("sayso_us_a", "ana", None, (), "enabled", NOON))
        tx.invitations.add(INVITATION)
    return store


def test_an_invitation_is_stored_unchanged(store_with_invitation: SqlStore) -> None:
    """An invitation is found by id and by the hash of its token. Null and an empty list differ."""
    other = replace(INVITATION, id="sayso_in_b", token_hash=b"b", action_types=(), asks=None)
    with store_with_invitation.write() as tx:
        tx.invitations.add(other)
    with store_with_invitation.read() as view:
        assert view.invitations.get("sayso_in_a") == INVITATION
        assert view.invitations.by_token(b"b") == other
        assert view.invitations.by_token(b"none") is None
        assert view.invitations.page("", 1) == [INVITATION]
        assert view.invitations.page("sayso_in_a", 5) == [other]


def test_an_invitation_is_used_as_often_as_it_has_uses(store_with_invitation: SqlStore) -> None:
    """An expired or revoked invitation cannot be used."""
    with store_with_invitation.write() as tx:
        assert not tx.invitations.spend("sayso_in_a", NOON + 10)
        assert tx.invitations.spend("sayso_in_a", NOON)
        assert tx.invitations.revoke("sayso_in_a", NOON + 5)
        assert not tx.invitations.revoke("sayso_in_a", NOON + 6)
        assert not tx.invitations.spend("sayso_in_a", NOON + 7)
        spent = tx.invitations.get("sayso_in_a")
        assert spent == replace(INVITATION, uses_left=1, revoked_at=NOON + 5)
        tx.invitations.add(replace(INVITATION, id="sayso_in_b", token_hash=b"b", uses_left=1))
        assert [tx.invitations.spend("sayso_in_b", NOON) for _ in range(2)] == [True, False]


def test_a_registration_is_found_by_its_agent(store: SqlStore) -> None:
    """The registration is found even if the agent is deleted."""
    registration = Registration("sayso_ag_a", "sayso_in_a", b"hash", NOON)
    with store.write() as tx:
        tx.registrations.add(registration)
        assert tx.registrations.get("sayso_ag_a") == registration
        assert tx.registrations.get("sayso_ag_b") is None

"""Delegations: the ancestors of tokens, and revocation of a token with its descendants."""

import threading
from collections.abc import Callable

import pytest

from server.model.tokens import Delegation
from server.storage.store import SqlStore
from tests.support.builders.clock import MINUTE, NOON
from tests.support.checks.locks import waiting_sessions
from tests.support.checks.waiting import until

PAY = "https://pay.example/api"
UNTIL = NOON + 5 * MINUTE


def _token(jti: str, parent: str | None = None, **members: object) -> Delegation:
    all_members: dict[str, object] = {
        "client_id": "sayso_ag_one",
        "user_id": "sayso_us_ann",
        "resource": PAY,
        "scope": "read",
        "issued_at": NOON,
        "expires_at": UNTIL,
        "parent_id": parent,
        **members,
    }
    return Delegation(id=jti, **all_members)  # type: ignore[arg-type]  # see above


@pytest.fixture
def token_family(store: SqlStore) -> SqlStore:
    """A root token with two children, one of which has a child, and an unrelated token."""
    with store.write() as tx:
        tx.delegations.add(_token("root", consent_id="sayso_co_1"))
        tx.delegations.add(_token("left", "root", client_id="sayso_ag_two"))
        tx.delegations.add(_token("right", "root", client_id="sayso_ag_three"))
        tx.delegations.add(_token("leaf", "left", client_id="sayso_ag_four", depth=3))
        tx.delegations.add(_token("unrelated", user_id="sayso_us_bob"))
    return store


def _live_ids(store: SqlStore) -> set[str]:
    names = ("root", "left", "right", "leaf", "unrelated")
    with store.read() as view:
        tokens = [view.delegations.get(name) for name in names]
    return {token.id for token in tokens if token is not None and token.revoked_at is None}


def test_revoking_a_token_revokes_its_descendants(token_family: SqlStore) -> None:
    """The root and the siblings stay valid. A second revocation returns no tokens."""
    with token_family.write() as tx:
        assert sorted(tx.delegations.revoke_tree("left", NOON + 1)) == ["leaf", "left"]
        assert tx.delegations.revoke_tree("left", NOON + 2) == []
    assert _live_ids(token_family) == {"root", "right", "unrelated"}


def test_revoking_includes_descendants_below_a_revoked_token(token_family: SqlStore) -> None:
    """The token between them was revoked earlier."""
    with token_family.write() as tx:
        tx.delegations.revoke_client("sayso_ag_two", NOON)
        tx.delegations.add(_token("late", "left"))
        assert sorted(tx.delegations.revoke_tree("root", NOON)) == ["late", "right", "root"]


@pytest.mark.parametrize(
    ("revoke", "subject", "revoked"),
    [
        ("revoke_consent", "sayso_co_1", {"root", "left", "right", "leaf"}),
        ("revoke_client", "sayso_ag_two", {"left", "leaf"}),
        ("revoke_user", "sayso_us_ann", {"root", "left", "right", "leaf"}),
        ("revoke_tree", "nobody", set()),
    ],
)
def test_revoking_a_consent_client_or_user_revokes_its_tokens(
    token_family: SqlStore, revoke: str, subject: str, revoked: set[str]
) -> None:
    """The IDs of all its live tokens and their descendants are returned."""
    before = _live_ids(token_family)
    with token_family.write() as tx:
        assert set(getattr(tx.delegations, revoke)(subject, NOON)) == revoked
    assert _live_ids(token_family) == before - revoked


def test_expired_tokens_are_not_revoked(token_family: SqlStore) -> None:
    """An expired token does not have to be revoked."""
    with token_family.write() as tx:
        assert tx.delegations.revoke_tree("root", UNTIL) == []


def test_ancestors_are_listed_parent_first(token_family: SqlStore) -> None:
    """The root has no ancestors."""
    with token_family.read() as view:
        assert [token.id for token in view.delegations.ancestors("leaf")] == ["left", "root"]
        assert view.delegations.ancestors("root") == []


def test_only_a_live_token_is_locked(token_family: SqlStore) -> None:
    """A revoked or expired token is refused. Locking a token does not count as a use."""
    with token_family.write() as tx:
        locked = tx.delegations.lock_live("leaf", NOON + 7)
        assert locked is not None
        assert (locked.last_used_at, locked.depth) == (None, 3)
        assert tx.delegations.lock_live("leaf", UNTIL) is None
        tx.delegations.revoke_tree("leaf", NOON + 8)
        assert tx.delegations.lock_live("leaf", NOON + 9) is None


def test_a_use_is_recorded_once_a_minute(token_family: SqlStore) -> None:
    """A token that is used in each call is not updated at each call."""
    tokens = []
    for delay in (0, 59_999, 60_001):
        with token_family.write() as tx:
            tx.delegations.mark_used("root", NOON + delay)
            tokens.append(tx.delegations.get("root"))
    assert [token.last_used_at - NOON for token in tokens if token] == [0, 0, 60_001]


@pytest.mark.postgresql
def test_a_child_token_being_created_is_revoked_too(
    postgres_url: str, open_database: Callable[[str], SqlStore]
) -> None:
    """The exchange locks its parent. A concurrent revocation waits and then finds the child."""
    store, other = open_database(postgres_url), open_database(postgres_url)
    with store.write() as tx:
        tx.delegations.add(_token("root"))
    revoked: list[list[str]] = []

    def revoke() -> None:
        with other.write() as tx:
            revoked.append(tx.delegations.revoke_tree("root", NOON + 2))

    thread = threading.Thread(target=revoke)
    with store.write() as tx:
        assert tx.delegations.lock_live("root", NOON + 1) is not None
        thread.start()
        until(lambda: waiting_sessions(store) == 1)
        tx.delegations.add(_token("child", "root"))
        assert not revoked
    thread.join(10)
    assert sorted(revoked[0]) == ["child", "root"]


def test_live_tokens_of_a_client_and_their_descendants_are_counted(token_family: SqlStore) -> None:
    """Tokens below a revoked one count. A client's own tokens are counted at any depth."""
    with token_family.write() as tx:
        tx.delegations.add(_token("again", "leaf", client_id="sayso_ag_one"))
        assert tx.delegations.live_of_client("sayso_ag_one", NOON) == (3, 3)
        assert tx.delegations.live_of_client("sayso_ag_two", NOON) == (1, 2)
        assert tx.delegations.live_of_client("nobody", NOON) == (0, 0)
        assert tx.delegations.live_of_client("sayso_ag_one", UNTIL) == (0, 0)
        tx.delegations.revoke_tree("leaf", NOON)
        assert tx.delegations.live_of_client("sayso_ag_one", NOON) == (2, 2)

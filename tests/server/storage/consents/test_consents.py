"""Consents in the database are either in force or ended, and end only once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from typing import Any

import pytest

from server.model.consents import Consent
from server.model.users import User
from server.services.consents.consents import ConsentService
from server.storage.store import SqlStore
from tests.support.builders.clock import DAY, NOON

ANN = User("sayso_us_ann", "ann", None, (), "enabled", NOON)
BOT, PAY = "sayso_ag_bot", "https://pay.example"


def _consent(name: str = "sayso_co_1", **members: Any) -> Consent:
    plain = Consent(
        id=name,
        user_id=ANN.id,
        client_id=BOT,
        app_id=None,
        resource=PAY,
        scopes=("payments:read", "payments:write"),
        created_at=NOON,
        expires_at=NOON + DAY,
        revoked_at=None,
        approval_id="sayso_ap_1",
    )
    return replace(plain, **members)


def _add(store: SqlStore, *consents: Consent) -> None:
    with store.write() as tx:
        if tx.directory.user(ANN.id) is None:
            tx.users.add(ANN)
        for consent in consents:
            tx.consents.add(consent)


def test_a_consent_is_stored_unchanged(store: SqlStore) -> None:
    """All members are the same when it is read by ID or as the consent in force."""
    _add(store, _consent())
    with store.read() as view:
        assert view.consents.get("sayso_co_1") == _consent()
        assert view.consents.live(ANN.id, BOT, PAY, NOON) == _consent()
        assert view.consents.get("sayso_co_2") is None


@pytest.mark.parametrize(
    "other",
    [(ANN.id, BOT, "https://other.example"), (ANN.id, "sayso_ag_x", PAY), ("sayso_us_x", BOT, PAY)],
)
def test_a_consent_is_for_its_user_client_and_resource_only(
    store: SqlStore, other: tuple[str, str, str]
) -> None:
    """Each case differs in the user, the client or the resource."""
    _add(store, _consent())
    with store.read() as view:
        assert view.consents.live(*other, NOON) is None


def test_a_consent_ends_exactly_at_its_expiry(store: SqlStore) -> None:
    """The expiry is exact to the millisecond."""
    _add(store, _consent())
    with store.write() as tx:
        assert tx.consents.live(ANN.id, BOT, PAY, NOON + DAY - 1) is not None
        assert tx.consents.live(ANN.id, BOT, PAY, NOON + DAY) is None
        assert tx.consents.renew(_consent(scopes=("more",)), NOON + DAY) is None
        assert tx.consents.revoke("sayso_co_1", NOON + DAY) is None
    assert not _consent().live(NOON + DAY)
    assert _consent().live(NOON + DAY - 1)


def test_a_consent_is_revoked_once(store: SqlStore) -> None:
    """A second revocation returns None, and a renewal does not restore the consent."""
    _add(store, _consent())
    with store.write() as tx:
        revoked = tx.consents.revoke("sayso_co_1", NOON + 5)
        assert revoked == _consent(revoked_at=NOON + 5)
        assert not revoked.live(NOON + 5)
        assert tx.consents.revoke("sayso_co_1", NOON + 6) is None
        assert tx.consents.renew(_consent(), NOON + 6) is None
        assert tx.consents.live(ANN.id, BOT, PAY, NOON + 6) is None


def test_a_consent_in_force_is_renewed_in_place(store: SqlStore) -> None:
    """Scopes, expiry and approval are replaced. The ID and the creation time are kept."""
    _add(store, _consent())
    wider = _consent(
        scopes=("payments:write",), expires_at=NOON + 2 * DAY, approval_id="b", created_at=1
    )
    with store.write() as tx:
        renewed = tx.consents.renew(wider, NOON + 1)
    assert renewed == replace(wider, created_at=NOON)


def test_a_list_is_newest_first_without_ended_consents(store: SqlStore) -> None:
    """Ended consents are listed only if they are requested."""
    old = _consent("sayso_co_0", created_at=NOON - DAY, expires_at=NOON, resource="https://b")
    app = _consent("sayso_co_2", created_at=NOON + 1, client_id="sayso_app_x")
    _add(store, old, _consent(), app)
    with store.read() as view:
        assert view.consents.of_user(ANN.id, NOON, ended=False) == [app, _consent()]
        assert view.consents.of_user(ANN.id, NOON, ended=True) == [app, _consent(), old]
        assert view.consents.of_user("sayso_us_x", NOON, ended=True) == []


def test_a_search_returns_what_matches_every_filter(store: SqlStore) -> None:
    """The filters are user, client, and whether the consent is in force."""
    old = _consent("sayso_co_0", created_at=NOON - DAY, expires_at=NOON)
    _add(store, old, _consent())

    def search(**filters: Any) -> list[str]:
        defaults: dict[str, Any] = {"user_id": None, "client_id": None, "live_at": None, "limit": 9}
        defaults["before"] = None
        with store.read() as view:
            return [consent.id for consent in view.consents.search(**(defaults | filters))]

    assert search() == ["sayso_co_1", "sayso_co_0"]
    assert search(limit=1) == ["sayso_co_1"]
    assert search(before=(NOON, "sayso_co_1")) == ["sayso_co_0"]
    assert search(before=(NOON, "sayso_co_2")) == ["sayso_co_1", "sayso_co_0"]
    assert search(live_at=NOON) == ["sayso_co_1"]
    assert search(user_id=ANN.id, client_id=BOT, live_at=NOON - 1) == ["sayso_co_1", "sayso_co_0"]
    assert search(client_id="sayso_ag_x") == []
    assert search(user_id="sayso_us_x") == []


def test_deleting_a_client_or_resource_revokes_its_consents(store: SqlStore) -> None:
    """A consent that an app requested for an agent is revoked with the app."""
    for_agent = _consent("sayso_co_2", app_id="sayso_app_x", resource="https://b")
    _add(store, _consent(), for_agent)
    with store.write() as tx:
        assert [c.id for c in tx.consents.revoke_client("sayso_app_x", NOON)] == ["sayso_co_2"]
        assert [c.id for c in tx.consents.revoke_at(PAY, NOON)] == ["sayso_co_1"]
        assert tx.consents.revoke_client(BOT, NOON) == []


_UNUSED: dict[str, Any] = dict.fromkeys(field.name for field in fields(ConsentService))
SERVICE = ConsentService(**_UNUSED)


def test_a_consent_given_at_the_same_time_replaces_the_other(store: SqlStore) -> None:
    """Only one consent is in force, so that revoking it ends all access."""
    _add(store)

    def give(name: str) -> None:
        with store.write() as tx:
            SERVICE.save(tx, _consent(name))

    with ThreadPoolExecutor(1) as threads:
        with store.write() as tx:
            SERVICE.save(tx, _consent("sayso_co_1"))
            second = threads.submit(give, "sayso_co_2")
            with pytest.raises(TimeoutError):
                second.result(0.3)
        second.result()
    with store.read() as view:
        in_force = view.consents.of_user(ANN.id, NOON, ended=False)
    assert [consent.id for consent in in_force] == ["sayso_co_1"]

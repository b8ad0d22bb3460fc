"""Security events wait for their own API, for a limited time."""

import pytest

from server.model.resources import Resource
from server.protocol.tokens.security_events import KEPT_MS
from server.storage.store import SqlStore
from tests.support.builders.clock import MINUTE, NOON

PAY, MAIL = "https://pay.example", "https://mail.example"


@pytest.fixture
def stored(store: SqlStore) -> SqlStore:
    """Two events for the payment API, and one for the mail API."""
    with store.administer() as tx:
        tx.resources.add(Resource(PAY, {}, {}, NOON, "sayso_rs_pay"))
        tx.resources.add(Resource(MAIL, {}, {}, NOON, "sayso_rs_mail"))
        tx.security_events.add((PAY, MAIL), "sayso_ag_one", "admin", "agent_disabled")
        tx.security_events.add((PAY,), "sayso_us_ana", "admin", "user_disabled")
    return store


def _waiting(store: SqlStore, *uris: str, limit: int = 10) -> list[tuple[str, str]]:
    with store.read() as view:
        found = view.security_events.waiting(uris, limit)
    return [(event.resource, event.subject) for event in found]


def test_each_api_gets_its_own_events_oldest_first(stored: SqlStore) -> None:
    """A caller without a resource gets none."""
    assert _waiting(stored, PAY) == [(PAY, "sayso_ag_one"), (PAY, "sayso_us_ana")]
    assert _waiting(stored, PAY, limit=1) == [(PAY, "sayso_ag_one")]
    assert _waiting(stored, MAIL) == [(MAIL, "sayso_ag_one")]
    assert _waiting(stored) == []


def test_only_events_for_these_resources_are_deleted(stored: SqlStore) -> None:
    """Unknown IDs and those of others stay unmentioned."""
    with stored.read() as view:
        (mail,) = view.security_events.waiting((MAIL,), 10)
        first, second = view.security_events.waiting((PAY,), 10)
    with stored.write() as tx:
        assert tx.security_events.delete((PAY,), {mail.id, first.id, "none"}) == [first.id]
        assert tx.security_events.delete((PAY,), {first.id}) == []
    assert _waiting(stored, PAY, MAIL) == [(MAIL, "sayso_ag_one"), (PAY, second.subject)]


def test_an_event_waits_seven_days(stored: SqlStore) -> None:
    """It is deleted at its end and not before."""
    with stored.write() as tx:
        tx.security_events.prune(NOON + KEPT_MS - MINUTE)
    assert len(_waiting(stored, PAY)) == 2
    with stored.write() as tx:
        tx.security_events.prune(NOON + KEPT_MS)
    assert _waiting(stored, PAY, MAIL) == []


def test_the_events_of_a_deleted_resource_are_deleted(stored: SqlStore) -> None:
    """A resource that is registered again does not get them."""
    with stored.administer() as tx:
        tx.resources.delete(PAY)
    assert _waiting(stored, PAY, MAIL) == [(MAIL, "sayso_ag_one")]

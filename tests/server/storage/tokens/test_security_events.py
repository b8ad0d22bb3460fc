"""Security events are kept for their API, for a limited time."""

import pytest

from server.model.resources import Resource
from server.protocol.tokens.security_events import KEPT_MS
from server.storage.store import SqlStore
from tests.support.builders.clock import MINUTE, NOON

PAY, MAIL = "https://pay.example", "https://mail.example"


@pytest.fixture
def store_with_events(store: SqlStore) -> SqlStore:
    """A store with two events for the payment API and one for the mail API."""
    with store.administer() as tx:
        tx.resources.add(Resource(PAY, {}, {}, NOON, "sayso_rs_pay"))
        tx.resources.add(Resource(MAIL, {}, {}, NOON, "sayso_rs_mail"))
        tx.security_events.add((PAY, MAIL), "sayso_ag_one", "admin", "agent_disabled")
        tx.security_events.add((PAY,), "sayso_us_ana", "admin", "user_disabled")
    return store


def _waiting_events(store: SqlStore, *uris: str, limit: int = 10) -> list[tuple[str, str]]:
    with store.read() as view:
        events = view.security_events.waiting(uris, limit)
    return [(event.resource, event.subject) for event in events]


def test_each_api_gets_its_own_events_oldest_first(store_with_events: SqlStore) -> None:
    """A caller without a resource gets no events."""
    assert _waiting_events(store_with_events, PAY) == [(PAY, "sayso_ag_one"), (PAY, "sayso_us_ana")]
    assert _waiting_events(store_with_events, PAY, limit=1) == [(PAY, "sayso_ag_one")]
    assert _waiting_events(store_with_events, MAIL) == [(MAIL, "sayso_ag_one")]
    assert _waiting_events(store_with_events) == []


def test_only_events_for_these_resources_are_deleted(store_with_events: SqlStore) -> None:
    """Unknown IDs and IDs for other resources are not returned."""
    with store_with_events.read() as view:
        (mail,) = view.security_events.waiting((MAIL,), 10)
        first, second = view.security_events.waiting((PAY,), 10)
    with store_with_events.write() as tx:
        assert tx.security_events.delete((PAY,), {mail.id, first.id, "none"}) == [first.id]
        assert tx.security_events.delete((PAY,), {first.id}) == []
    assert _waiting_events(store_with_events, PAY, MAIL) == [
        (MAIL, "sayso_ag_one"),
        (PAY, second.subject),
    ]


def test_an_event_is_kept_for_seven_days(store_with_events: SqlStore) -> None:
    """An event is deleted after seven days, and not earlier."""
    with store_with_events.write() as tx:
        tx.security_events.prune(NOON + KEPT_MS - MINUTE)
    assert len(_waiting_events(store_with_events, PAY)) == 2
    with store_with_events.write() as tx:
        tx.security_events.prune(NOON + KEPT_MS)
    assert _waiting_events(store_with_events, PAY, MAIL) == []


def test_the_events_of_a_deleted_resource_are_deleted(store_with_events: SqlStore) -> None:
    """A resource that is registered again does not get the old events."""
    with store_with_events.administer() as tx:
        tx.resources.delete(PAY)
    assert _waiting_events(store_with_events, PAY, MAIL) == [(MAIL, "sayso_ag_one")]

"""Push subscriptions: equal in both databases, and removed with their device."""

from dataclasses import replace

import pytest

from server.model.notifications import PushLoss, PushService, PushSubscription
from server.model.users import User
from server.storage.store import SqlStore
from tests.support.builders.clock import DAY, NOON
from tests.support.builders.installation import device_row

ANN = User("sayso_us_ann", "ann", None, (), "enabled", NOON)
PHONE, DESK = "sayso_dv_phone", "sayso_dv_desk"
ONE = PushSubscription(
    id="sayso_ps_1",
    user_id=ANN.id,
    device_id=PHONE,
    endpoint_hash=b"one",
    origin="https://push.example",
    sealed=b"sealed",
    created_at=NOON,
    opened_at=NOON,
)
TWO = replace(ONE, id="sayso_ps_2", device_id=DESK, endpoint_hash=b"two", created_at=NOON + 1)


@pytest.fixture
def store(store: SqlStore) -> SqlStore:
    """Ann's two browsers."""
    with store.administer() as tx:
        tx.users.add(ANN)
        for device_id in (PHONE, DESK):
            tx.devices.add(device_row(device_id, ANN, NOON))
        for one in (ONE, TWO):
            tx.pushes.add(one)
    return store


def test_a_push_subscription_is_stored_unchanged(store: SqlStore) -> None:
    """Found by id, by endpoint, and in its user's list, oldest first."""
    with store.read() as view:
        assert view.pushes.get(ONE.id) == ONE
        assert view.pushes.get("sayso_ps_9") is None
        assert view.pushes.by_endpoint(b"two") == TWO
        assert view.pushes.by_endpoint(b"three") is None
        assert view.pushes.of_user(ANN.id) == [ONE, TWO]
        assert view.pushes.targets(ANN.id) == [(ONE.id, ONE.origin), (TWO.id, TWO.origin)]


def test_delivery_results_of_a_subscription_are_recorded(store: SqlStore) -> None:
    """A delivery clears a problem; an opened page clears a warning."""
    with store.write() as tx:
        assert tx.pushes.add_problem(ONE.id, "status 403") is True
        assert tx.pushes.add_problem(ONE.id, "status 401") is False
        assert tx.pushes.problems() == [(ONE.origin, "status 403", 1)]
        tx.pushes.mark_warned(ONE.id, NOON + DAY)
        tx.pushes.delivered(ONE.id, NOON + 5)
        assert tx.pushes.get(ONE.id) == replace(
            ONE, delivered_at=NOON + 5, warned_at=NOON + DAY, checked_at=NOON + DAY
        )
        tx.pushes.refresh(replace(ONE, sealed=b"anew", opened_at=NOON + DAY))
        delivered = replace(ONE, sealed=b"anew", opened_at=NOON + DAY, delivered_at=NOON + 5)
        assert tx.pushes.get(ONE.id) == delivered
        assert tx.pushes.problems() == []


def test_a_dormant_browser_is_found_once(store: SqlStore) -> None:
    """The longest silent first."""
    with store.write() as tx:
        assert tx.pushes.dormant(NOON, 9) == []
        assert tx.pushes.dormant(NOON + 1, 1) == [ONE]
        tx.pushes.mark_warned(ONE.id, NOON + 1)
        assert tx.pushes.dormant(NOON + 1, 9) == [TWO]


def test_a_subscription_is_removed_alone_or_with_its_device(store: SqlStore) -> None:
    """What is not called any more is not kept."""
    with store.write() as tx:
        assert tx.pushes.remove(ONE.id) is True
        assert tx.pushes.remove(ONE.id) is False
        tx.devices.revoke(DESK)
        assert tx.pushes.of_user(ANN.id) == []
        assert tx.pushes.targets(ANN.id) == []
        assert tx.pushes.get(TWO.id) == TWO
        tx.pushes.prune()
        assert tx.pushes.get(TWO.id) is None


def test_each_push_service_is_listed_once_with_its_state(store: SqlStore) -> None:
    """Its last delivery, and the reason of a failure."""
    elsewhere = replace(ONE, id="sayso_ps_3", endpoint_hash=b"three", origin="https://a.example")
    with store.write() as tx:
        tx.pushes.add(elsewhere)
        tx.pushes.delivered(ONE.id, NOON + 5)
        tx.pushes.add_problem(TWO.id, "status 403")
    with store.read() as view:
        assert view.pushes.services() == [
            PushService("https://a.example", 1, None, None),
            PushService("https://push.example", 2, NOON + 5, "status 403"),
        ]


def test_a_silent_browser_is_found_until_it_is_checked(store: SqlStore) -> None:
    """An opened page, a delivered push and a check all count as contact."""
    with store.write() as tx:
        late = NOON + DAY
        assert tx.pushes.silent(NOON, 9) == []
        assert tx.pushes.silent(late, 9) == [ONE, TWO]
        assert tx.pushes.silent(late, 1) == [ONE]
        tx.pushes.mark_checked(ONE.id, late)
        tx.pushes.delivered(TWO.id, late)
        assert tx.pushes.silent(late, 9) == []
        assert [one.id for one in tx.pushes.silent(late + 1, 9)] == [ONE.id, TWO.id]
        tx.pushes.refresh(replace(ONE, opened_at=late + 1))
        tx.pushes.mark_warned(TWO.id, late + 1)
        assert tx.pushes.silent(late + 1, 9) == []


def test_a_lost_subscription_is_kept_until_its_device_subscribes_again_or_is_revoked(
    store: SqlStore,
) -> None:
    """The latest first; only its own user can dismiss it."""
    one = PushLoss(ONE.id, ANN.id, PHONE, ONE.origin, NOON)
    two = PushLoss(TWO.id, ANN.id, DESK, TWO.origin, NOON + 1)
    more = replace(two, id="sayso_ps_3", lost_at=NOON + 2)
    with store.write() as tx:
        for each in (one, two, more):
            tx.pushes.add_loss(each)
        assert tx.pushes.losses(ANN.id) == [more, two, one]
        assert tx.pushes.dismiss_loss("sayso_us_ben", more.id) is False
        assert tx.pushes.dismiss_loss(ANN.id, more.id) is True
        tx.pushes.remove_losses(PHONE)
        assert tx.pushes.losses(ANN.id) == [two]
        tx.devices.revoke(DESK)
        assert tx.pushes.losses(ANN.id) == []
        tx.pushes.prune()
        assert tx.pushes.dismiss_loss(ANN.id, two.id) is False

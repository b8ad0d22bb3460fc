"""Push subscriptions are stored alike in both databases, and removed with their device."""

from dataclasses import replace

import pytest

from server.model.notifications import PushLoss, PushService, PushSubscription
from server.model.users import User
from server.storage.store import SqlStore
from tests.support.builders.clock import DAY, NOON
from tests.support.builders.installation import device_row

ANN = User("sayso_us_ann", "ann", None, (), "enabled", NOON)
PHONE, DESKTOP = "sayso_dv_phone", "sayso_dv_desk"
ON_PHONE = PushSubscription(
    id="sayso_ps_1",
    user_id=ANN.id,
    device_id=PHONE,
    endpoint_hash=b"one",
    origin="https://push.example",
    sealed=b"sealed",
    created_at=NOON,
    opened_at=NOON,
)
ON_DESKTOP = replace(
    ON_PHONE, id="sayso_ps_2", device_id=DESKTOP, endpoint_hash=b"two", created_at=NOON + 1
)


@pytest.fixture
def store(store: SqlStore) -> SqlStore:
    """A store with the subscriptions of Ann's two browsers."""
    with store.administer() as tx:
        tx.users.add(ANN)
        for device_id in (PHONE, DESKTOP):
            tx.devices.add(device_row(device_id, ANN, NOON))
        for subscription in (ON_PHONE, ON_DESKTOP):
            tx.pushes.add(subscription)
    return store


def test_a_push_subscription_is_stored_unchanged(store: SqlStore) -> None:
    """A subscription is found by id, by endpoint, and in its user's list, sorted by age."""
    with store.read() as view:
        assert view.pushes.get(ON_PHONE.id) == ON_PHONE
        assert view.pushes.get("sayso_ps_9") is None
        assert view.pushes.by_endpoint(b"two") == ON_DESKTOP
        assert view.pushes.by_endpoint(b"three") is None
        assert view.pushes.of_user(ANN.id) == [ON_PHONE, ON_DESKTOP]
        assert view.pushes.targets(ANN.id) == [
            (ON_PHONE.id, ON_PHONE.origin),
            (ON_DESKTOP.id, ON_DESKTOP.origin),
        ]


def test_delivery_results_of_a_subscription_are_recorded(store: SqlStore) -> None:
    """A delivery clears a problem, and opening a page clears a warning."""
    with store.write() as tx:
        assert tx.pushes.add_problem(ON_PHONE.id, "status 403") is True
        assert tx.pushes.add_problem(ON_PHONE.id, "status 401") is False
        assert tx.pushes.problems() == [(ON_PHONE.origin, "status 403", 1)]
        tx.pushes.mark_warned(ON_PHONE.id, NOON + DAY)
        tx.pushes.record_delivery(ON_PHONE.id, NOON + 5)
        assert tx.pushes.get(ON_PHONE.id) == replace(
            ON_PHONE, delivered_at=NOON + 5, warned_at=NOON + DAY, checked_at=NOON + DAY
        )
        tx.pushes.refresh(replace(ON_PHONE, sealed=b"anew", opened_at=NOON + DAY))
        delivered = replace(ON_PHONE, sealed=b"anew", opened_at=NOON + DAY, delivered_at=NOON + 5)
        assert tx.pushes.get(ON_PHONE.id) == delivered
        assert tx.pushes.problems() == []


def test_a_dormant_browser_is_found_once(store: SqlStore) -> None:
    """The browser that has gone unopened the longest comes first."""
    with store.write() as tx:
        assert tx.pushes.dormant(NOON, 9) == []
        assert tx.pushes.dormant(NOON + 1, 1) == [ON_PHONE]
        tx.pushes.mark_warned(ON_PHONE.id, NOON + 1)
        assert tx.pushes.dormant(NOON + 1, 9) == [ON_DESKTOP]


def test_a_subscription_is_removed_alone_or_with_its_device(store: SqlStore) -> None:
    """A subscription that is no longer used is not kept."""
    with store.write() as tx:
        assert tx.pushes.remove(ON_PHONE.id) is True
        assert tx.pushes.remove(ON_PHONE.id) is False
        tx.devices.revoke(DESKTOP)
        assert tx.pushes.of_user(ANN.id) == []
        assert tx.pushes.targets(ANN.id) == []
        assert tx.pushes.get(ON_DESKTOP.id) == ON_DESKTOP
        tx.pushes.prune()
        assert tx.pushes.get(ON_DESKTOP.id) is None


def test_each_push_service_is_listed_once_with_its_state(store: SqlStore) -> None:
    """The state is the last delivery, and the reason for a failure."""
    other_subscription = replace(
        ON_PHONE, id="sayso_ps_3", endpoint_hash=b"three", origin="https://a.example"
    )
    with store.write() as tx:
        tx.pushes.add(other_subscription)
        tx.pushes.record_delivery(ON_PHONE.id, NOON + 5)
        tx.pushes.add_problem(ON_DESKTOP.id, "status 403")
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
        assert tx.pushes.silent(late, 9) == [ON_PHONE, ON_DESKTOP]
        assert tx.pushes.silent(late, 1) == [ON_PHONE]
        tx.pushes.mark_checked(ON_PHONE.id, late)
        tx.pushes.record_delivery(ON_DESKTOP.id, late)
        assert tx.pushes.silent(late, 9) == []
        assert [row.id for row in tx.pushes.silent(late + 1, 9)] == [ON_PHONE.id, ON_DESKTOP.id]
        tx.pushes.refresh(replace(ON_PHONE, opened_at=late + 1))
        tx.pushes.mark_warned(ON_DESKTOP.id, late + 1)
        assert tx.pushes.silent(late + 1, 9) == []


def test_a_lost_subscription_is_kept_until_its_device_subscribes_again_or_is_revoked(
    store: SqlStore,
) -> None:
    """The latest loss is listed first. Only its own user can dismiss it."""
    oldest = PushLoss(ON_PHONE.id, ANN.id, PHONE, ON_PHONE.origin, NOON)
    middle = PushLoss(ON_DESKTOP.id, ANN.id, DESKTOP, ON_DESKTOP.origin, NOON + 1)
    newest = replace(middle, id="sayso_ps_3", lost_at=NOON + 2)
    with store.write() as tx:
        for loss in (oldest, middle, newest):
            tx.pushes.add_loss(loss)
        assert tx.pushes.losses(ANN.id) == [newest, middle, oldest]
        assert tx.pushes.dismiss_loss("sayso_us_ben", newest.id) is False
        assert tx.pushes.dismiss_loss(ANN.id, newest.id) is True
        tx.pushes.remove_losses(PHONE)
        assert tx.pushes.losses(ANN.id) == [middle]
        tx.devices.revoke(DESKTOP)
        assert tx.pushes.losses(ANN.id) == []
        tx.pushes.prune()
        assert tx.pushes.dismiss_loss(ANN.id, middle.id) is False

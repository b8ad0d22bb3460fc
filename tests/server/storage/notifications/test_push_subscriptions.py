"""Browsers that want to be called: kept alike on both databases, and gone with their device."""

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


def test_a_subscription_is_kept_whole(store: SqlStore) -> None:
    """By its id, by its address, and among its person's, the oldest first."""
    with store.read() as view:
        assert view.pushes.get(ONE.id) == ONE
        assert view.pushes.get("sayso_ps_9") is None
        assert view.pushes.by_endpoint(b"two") == TWO
        assert view.pushes.by_endpoint(b"three") is None
        assert view.pushes.of_user(ANN.id) == [ONE, TWO]
        assert view.pushes.targets(ANN.id) == [(ONE.id, ONE.origin), (TWO.id, TWO.origin)]


def test_what_is_heard_of_it_is_written_down(store: SqlStore) -> None:
    """A delivery ends a problem; a page that is opened ends a warning."""
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
        heard = replace(ONE, sealed=b"anew", opened_at=NOON + DAY, delivered_at=NOON + 5)
        assert tx.pushes.get(ONE.id) == heard
        assert tx.pushes.problems() == []


def test_a_browser_that_nobody_opens_is_found_once(store: SqlStore) -> None:
    """The longest silent first."""
    with store.write() as tx:
        assert tx.pushes.dormant(NOON, 9) == []
        assert tx.pushes.dormant(NOON + 1, 1) == [ONE]
        tx.pushes.mark_warned(ONE.id, NOON + 1)
        assert tx.pushes.dormant(NOON + 1, 9) == [TWO]


def test_it_goes_by_itself_or_with_its_device(store: SqlStore) -> None:
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


def test_each_push_service_is_told_once_with_how_it_stands(store: SqlStore) -> None:
    """When it last took a message, and why it does not take another's."""
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


def test_a_browser_of_which_nothing_is_heard_is_found_until_it_is_checked(store: SqlStore) -> None:
    """Whether a page was opened there, a push got there, or we asked: each counts as heard."""
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


def test_a_loss_is_remembered_until_its_device_is_called_again_or_gone(store: SqlStore) -> None:
    """The latest first; its person can be done with it, nobody else."""
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

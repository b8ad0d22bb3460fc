"""Deliveries of a request to devices, and notification counts, in both databases."""

from dataclasses import replace

import pytest

from server.model.approvals import Approval, Approver
from server.model.incidents import Incident
from server.model.notifications import Lane, RecentNotifications
from server.model.users import User
from server.storage.store import SqlStore
from tests.support.builders.clock import HOUR, MINUTE, NOON, MovableClock
from tests.support.builders.installation import approval_row, device_row

ANN = User("sayso_us_ann", "ann", None, (), "enabled", NOON)
LAPTOP, PHONE = "sayso_dv_laptop", "sayso_dv_phone"


@pytest.fixture
def asked(store: SqlStore) -> Approval:
    """A request for Ann, who has two devices."""
    row = approval_row("sayso_ap_1", "sayso_ag_bot", ANN.id, NOON)
    with store.administer() as tx:
        tx.users.add(ANN)
        for device_id in (LAPTOP, PHONE):
            tx.devices.add(device_row(device_id, ANN, NOON))
        tx.approvals.add(row)
    return row


def _add(store: SqlStore, device_id: str, *, seen: bool = False) -> None:
    with store.write() as tx:
        tx.deliveries.add("sayso_ap_1", device_id, seen=seen)


def test_delivery_and_view_of_a_device_are_recorded_once(
    store: SqlStore, clock: MovableClock, asked: Approval
) -> None:
    """The first of each stays; the very first delivery is in the approval row too."""
    for device_id, seen in ((LAPTOP, False), (PHONE, True), (LAPTOP, True), (LAPTOP, True)):
        _add(store, device_id, seen=seen)
        clock.forward(1_000)
    with store.read() as view:
        laptop, phone = view.deliveries.of_approval(asked.id)
        row = view.approvals.get(asked.id)

    assert (laptop.device_id, laptop.delivered_at, laptop.seen_at) == (LAPTOP, NOON, NOON + 2_000)
    assert (phone.device_id, phone.delivered_at, phone.seen_at) == (
        PHONE,
        NOON + 1_000,
        NOON + 1_000,
    )
    assert (laptop.device_name, laptop.user_id, laptop.decided_at) == ("laptop", ANN.id, None)
    assert row == replace(asked, delivered_at=NOON)


def test_requests_missing_on_a_device_are_found(store: SqlStore, asked: Approval) -> None:
    """They are returned in the given order."""
    _add(store, LAPTOP)
    with store.read() as view:
        assert view.deliveries.missing(LAPTOP, ["x", asked.id, "a"]) == ["x", "a"]
        assert view.deliveries.missing(PHONE, [asked.id]) == [asked.id]


def _spent(
    store: SqlStore, lane: Lane = "medium", agent: str = "sayso_ag_bot"
) -> RecentNotifications:
    with store.write() as tx:
        return tx.notifications.recent(ANN.id, agent, "payment", lane)


def test_notifications_are_counted_by_lane_agent_and_type(
    store: SqlStore, clock: MovableClock
) -> None:
    """Notifications of this user in the last minute and hour are counted."""
    for agent, types in (("sayso_ag_bot", "payment"), ("sayso_ag_bot", ""), ("other", "payment")):
        with store.write() as tx:
            tx.notifications.add(ANN.id, agent, types, "medium")
            tx.notifications.add("sayso_us_bob", agent, types, "medium")
        clock.forward(MINUTE // 2)

    assert _spent(store) == RecentNotifications(1, 3, 0, 2, 2, reported=False)
    assert _spent(store, agent="other") == RecentNotifications(1, 3, 1, 1, 2, reported=False)
    assert _spent(store, "urgent") == RecentNotifications(0, 0, 0, 0, 0, reported=False)
    clock.forward(HOUR - MINUTE)
    with store.write() as tx:
        assert tx.notifications.prune() == 4
    assert _spent(store) == RecentNotifications(0, 1, 0, 0, 1, reported=False)


def test_a_report_counts_until_its_incident_is_closed(store: SqlStore, asked: Approval) -> None:
    """The report counts for its own agent only."""
    incident = Incident("sayso_in_1", "open", "agent", asked.id, ANN.id, LAPTOP, None, "{}", NOON)
    with store.write() as tx:
        tx.incidents.add(incident)
    assert _spent(store).reported
    assert not _spent(store, agent="other").reported
    with store.write() as tx:
        tx.incidents.close(incident.id, by="operator", note=None, now=NOON)
    assert not _spent(store).reported


def test_a_held_back_request_is_marked_in_its_row(store: SqlStore, asked: Approval) -> None:
    """A poll and a list need no other table."""
    with store.write() as tx:
        tx.approvals.hold_back(asked.id)
        row = tx.approvals.get(asked.id)
    assert row == replace(asked, held_back=True)


def test_a_request_held_back_from_one_approver_is_marked_in_their_row(
    store: SqlStore, asked: Approval
) -> None:
    """No other row is marked."""
    with store.write() as tx:
        assert tx.approvers.add(Approver(asked.id, ANN.id, "group", NOON, NOON + HOUR, asked.risk))
        tx.approvers.hold_back(asked.id, "somebody else")
        before = tx.approvers.find(asked.id, ANN.id)
        tx.approvers.hold_back(asked.id, ANN.id)
        after = tx.approvers.find(asked.id, ANN.id)
    assert (before and before.held_back, after and after.held_back) == (False, True)

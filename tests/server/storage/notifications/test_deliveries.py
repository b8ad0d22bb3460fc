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
def request_for_ann(store: SqlStore) -> Approval:
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


def test_first_delivery_and_view_on_a_device_are_recorded(
    store: SqlStore, clock: MovableClock, request_for_ann: Approval
) -> None:
    """Later ones change nothing. The approval row also has the first delivery to any device."""
    for device_id, seen in ((LAPTOP, False), (PHONE, True), (LAPTOP, True), (LAPTOP, True)):
        _add(store, device_id, seen=seen)
        clock.forward(1_000)
    with store.read() as view:
        laptop, phone = view.deliveries.of_approval(request_for_ann.id)
        row = view.approvals.get(request_for_ann.id)

    assert (laptop.device_id, laptop.delivered_at, laptop.seen_at) == (LAPTOP, NOON, NOON + 2_000)
    assert (phone.device_id, phone.delivered_at, phone.seen_at) == (
        PHONE,
        NOON + 1_000,
        NOON + 1_000,
    )
    assert (laptop.device_name, laptop.user_id, laptop.decided_at) == ("laptop", ANN.id, None)
    assert row == replace(request_for_ann, delivered_at=NOON)


def test_requests_missing_on_a_device_are_found(store: SqlStore, request_for_ann: Approval) -> None:
    """The missing requests are returned in the order of the arguments."""
    _add(store, LAPTOP)
    with store.read() as view:
        assert view.deliveries.missing(LAPTOP, ["x", request_for_ann.id, "a"]) == ["x", "a"]
        assert view.deliveries.missing(PHONE, [request_for_ann.id]) == [request_for_ann.id]


def _recent(
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

    assert _recent(store) == RecentNotifications(1, 3, 0, 2, 2, reported=False)
    assert _recent(store, agent="other") == RecentNotifications(1, 3, 1, 1, 2, reported=False)
    assert _recent(store, "urgent") == RecentNotifications(0, 0, 0, 0, 0, reported=False)
    clock.forward(HOUR - MINUTE)
    with store.write() as tx:
        assert tx.notifications.prune(tx.now) == 4
    assert _recent(store) == RecentNotifications(0, 1, 0, 0, 1, reported=False)


def test_a_report_counts_until_its_incident_is_closed(
    store: SqlStore, request_for_ann: Approval
) -> None:
    """The report counts only for the reported agent."""
    incident = Incident(
        *("sayso_in_1", "{}", NOON),
        approval_id=request_for_ann.id,
        user_id=ANN.id,
        device_id=LAPTOP,
    )
    with store.write() as tx:
        tx.incidents.add(incident)
    assert _recent(store).reported
    assert not _recent(store, agent="other").reported
    with store.write() as tx:
        tx.incidents.close(incident.id, by="operator", note=None, now=NOON)
    assert not _recent(store).reported


def test_a_held_back_request_is_marked_in_its_row(
    store: SqlStore, request_for_ann: Approval
) -> None:
    """Polls and lists can read the mark without another table."""
    with store.write() as tx:
        tx.approvals.hold_back(request_for_ann.id)
        row = tx.approvals.get(request_for_ann.id)
    assert row == replace(request_for_ann, held_back=True)


def test_a_request_held_back_from_one_approver_is_marked_in_their_row(
    store: SqlStore, request_for_ann: Approval
) -> None:
    """Only the row of this approver is marked as held back."""
    with store.write() as tx:
        assert tx.approvers.add(
            Approver(request_for_ann.id, ANN.id, "group", NOON, NOON + HOUR, request_for_ann.risk)
        )
        tx.approvers.hold_back(request_for_ann.id, "someone else")
        before = tx.approvers.find(request_for_ann.id, ANN.id)
        tx.approvers.hold_back(request_for_ann.id, ANN.id)
        after = tx.approvers.find(request_for_ann.id, ANN.id)
    assert (before and before.held_back, after and after.held_back) == (False, True)
